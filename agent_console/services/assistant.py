"""The assistant of the chat: commands answered from the database, the rest by a model if any."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from agent_console.domain.access import Actor
from agent_console.domain.chat import ChatRole, ChatSession, is_command
from agent_console.domain.errors import ConsoleError, Invalid
from agent_console.domain.jobs import JobStatus
from agent_console.services.assistant_tools import Sources, Tools
from agent_console.services.assistant_words import code

NAME = "Assistant"
QUESTIONS = 4  # to the model at the same time, in this process
COMMANDS = (
    ("/status", "how many jobs are where, what waits, who works"),
    ("/jobs", "the newest jobs; `/jobs failed`, or words to search for"),
    ("/why JOB", "why a job is where it is; here on a job, `/why` alone"),
    ("/checkpoints", "what waits for a decision, earliest deadline first"),
    ("/workers", "the worker processes"),
    ("/help", "this list"),
)
HELP = "\n".join(f"- `{command}` – {does}" for command, does in COMMANDS)
NEVER = "I only look things up: decisions are made by people, at the checkpoint."
NO_MODEL = f"No language model is set up here, so I answer commands:\n\n{HELP}\n\n{NEVER}"
BUSY = "I am busy with other questions. Ask again in a moment."
FAILED = "I could not answer that. The log of the console has the details."

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Turn:
    """What was said before: who, and what."""

    role: ChatRole
    name: str
    content: str


class ChatModel(Protocol):
    """A language model that may use tools."""

    @property
    def label(self) -> str:
        """The model as it is shown: ``provider:name``."""
        ...

    def answer(self, turns: Sequence[Turn], tools: Sequence[Callable[..., str]]) -> str:
        """Return the answer to the last of ``turns`` as Markdown; may take a minute.

        Raises:
            ConsoleError: there is no answer; the message says why and may be shown.
        """
        ...


class Assistant:
    """Answers as far as whoever asks may see; it has no way to change anything."""

    def __init__(self, sources: Sources, model: ChatModel | None = None) -> None:
        """Look things up in ``sources``; ``model`` None: commands only."""
        self._sources = sources
        self._model = model
        self._free = threading.BoundedSemaphore(QUESTIONS)

    def takes_time(self, text: str) -> bool:
        """Say whether ``text`` is a question for the model."""
        return self._model is not None and not is_command(text)

    def respond(self, actor: Actor, session: ChatSession, text: str) -> str:
        """Return the answer to a command; to anything else, what can be asked."""
        if not is_command(text):
            return NO_MODEL
        try:
            return self._command(Tools(self._sources, actor), session, text.split())
        except ConsoleError as error:
            return error.message
        except Exception:  # noqa: BLE001 - what was said stays said; the log has the rest
            _log.exception("the assistant could not answer a command")
            return FAILED

    def think(
        self, actor: Actor, turns: Callable[[], Sequence[Turn]], done: Callable[[str], None]
    ) -> None:
        """Let the model answer on a thread of its own, which a shutdown does not wait for."""
        if not self._free.acquire(blocking=False):
            done(BUSY)
            return
        work = threading.Thread(
            target=self._think, args=(actor, turns, done), name="assistant", daemon=True
        )
        work.start()

    def _think(
        self, actor: Actor, turns: Callable[[], Sequence[Turn]], done: Callable[[str], None]
    ) -> None:
        try:
            done(self._asked(actor, turns))
        except Exception:  # noqa: BLE001 - nobody waits for this thread; the log has it
            _log.exception("the assistant's answer could not be kept")
        finally:
            self._free.release()

    def _asked(self, actor: Actor, turns: Callable[[], Sequence[Turn]]) -> str:
        if self._model is None:
            return NO_MODEL
        try:
            return self._model.answer(turns(), Tools(self._sources, actor).all()) or FAILED
        except ConsoleError as error:
            return error.message
        except Exception:  # noqa: BLE001 - a model may fail in any way; people are told that it did
            _log.exception("%s could not answer", self._model.label)
            return FAILED

    def _command(self, tools: Tools, session: ChatSession, words: Sequence[str]) -> str:
        verb, rest = words[0].casefold(), " ".join(words[1:])
        match verb:
            case "/help":
                return f"{HELP}\n\n{NEVER}"
            case "/status":
                return tools.status()
            case "/jobs":
                return _jobs(tools, rest)
            case "/why":
                return _why(tools, session, rest)
            case "/checkpoints":
                return tools.checkpoints()
            case "/workers":
                return tools.workers()
            case _:
                return f"There is no command {code(verb, 40)}. I know:\n\n{HELP}"


def _jobs(tools: Tools, rest: str) -> str:
    first, _, words = rest.partition(" ")
    if first.upper() in set(JobStatus):
        return tools.jobs(status=first, search=words)
    return tools.jobs(search=rest)


def _why(tools: Tools, session: ChatSession, rest: str) -> str:
    wanted = rest or session.job_id
    if not wanted:
        raise Invalid("Say which job: /why job_…")
    return tools.why(wanted)
