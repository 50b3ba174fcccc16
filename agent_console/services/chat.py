"""Chat: conversations of people about the work, with an assistant that looks things up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.chat import (
    MAX_CLIENT_ID,
    MAX_MESSAGE,
    MAX_TITLE,
    ChatMessage,
    ChatQuery,
    ChatRole,
    ChatSession,
    ChatSessionDetail,
    HistoryQuery,
    NewChatMessage,
    NewChatSession,
    is_command,
    is_for_assistant,
)
from agent_console.domain.clock import Clock
from agent_console.domain.errors import Invalid, NotFound
from agent_console.domain.records import Page
from agent_console.services import job_requests
from agent_console.services.allowance import Allowance
from agent_console.services.assistant import NAME, Assistant, Turn
from agent_console.store import chat as chat_writes
from agent_console.store.database import Database, Reader
from agent_console.store.ids import new_id
from agent_console.store.reads import chat, checkpoints
from agent_console.store.reads import jobs as job_reads

MESSAGES, WINDOW = 60, 60.0  # an account may send so many within so many seconds
REMEMBERED = 20  # messages that a model is told of
MAX_SEQ = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The conversation; ``created`` is False where there was one already."""

    session: ChatSession
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """The message; ``replayed`` says that the request was a repetition and added nothing."""

    message: ChatMessage
    replayed: bool


class ChatService:
    """Use cases of conversations. Every method checks the actor's permission itself.

    Who may read the job or the checkpoint that a conversation is on may read the conversation; one
    that is on neither is open to all who may chat. Opening it is joining it.
    """

    def __init__(self, db: Database, assistant: Assistant, *, clock: Clock) -> None:
        """Work on ``db``; ``clock`` drives what an account may send in a while."""
        self._db = db
        self._assistant = assistant
        self._allowance = Allowance(clock, MESSAGES, WINDOW)

    def open(self, actor: Actor, new: NewChatSession) -> Opened:
        """Open a conversation, or the one there is on that job or checkpoint, and join it.

        Raises:
            Forbidden: the actor may not read what it is on.
            Invalid: the title is too long.
            NotFound: there is no such job or checkpoint.
        """
        authorize(actor, Permission.CHAT_USE)
        job_requests.text("title", new.title, MAX_TITLE)
        job_id, title = new.job_id, new.title.strip()
        with self._db.read() as reader:
            if new.checkpoint_id is not None:
                job_id, found = _on_checkpoint(reader, actor, new.checkpoint_id)
                title = title or found
            elif job_id is not None:
                found = _on_job(reader, actor, job_id)  # asked for even where a title is given
                title = title or found
        who, session_id = job_requests.who(actor), new_id("cht")
        made = self._db.write(
            lambda tx: chat_writes.create(
                tx,
                session_id,
                title,
                job_id=job_id,
                checkpoint_id=new.checkpoint_id,
                actor=actor,
                who=who,
            )
        )
        with self._db.read() as reader:
            return Opened(session=self._seen(reader, actor, made[0]), created=made[1])

    def join(self, actor: Actor, session_id: str) -> ChatSessionDetail:
        """Take part in the conversation; doing so again changes nothing.

        Raises:
            Forbidden: the actor may not read what it is on.
            NotFound: there is no such conversation.
        """
        detail = self.get(actor, session_id)
        who = job_requests.who(actor)
        if any(one.id == who for one in detail.participants):
            return detail
        self._db.write(lambda tx: chat_writes.join(tx, session_id, who, actor.name))
        return self.get(actor, session_id)

    def page(self, actor: Actor, query: ChatQuery) -> Page[ChatSession]:
        """Return one page of the conversations that the actor may see, latest message first.

        Raises:
            Invalid: a limit out of bounds, a strange cursor.
        """
        authorize(actor, Permission.CHAT_USE)
        query.check()
        job_requests.text("jobId", query.job_id, job_requests.MAX_NAME)
        with self._db.read() as reader:
            return chat.page(
                reader,
                query,
                job_requests.who(actor),
                on_jobs=actor.may(Permission.JOBS_READ),
                on_checkpoints=actor.may(Permission.CHECKPOINTS_READ),
            )

    def get(self, actor: Actor, session_id: str) -> ChatSessionDetail:
        """Return the conversation with its people, without joining it.

        Raises:
            Forbidden, NotFound: as in ``join``.
        """
        authorize(actor, Permission.CHAT_USE)
        with self._db.read() as reader:
            session = self._seen(reader, actor, session_id)
            people = chat.participants(reader, session_id)
        return ChatSessionDetail(session=session, participants=people)

    def history(self, actor: Actor, session_id: str, query: HistoryQuery) -> Page[ChatMessage]:
        """Return a page of messages in the order in which they were said.

        Raises:
            Invalid: a limit out of bounds, a strange cursor.
            Forbidden, NotFound: as in ``join``.
        """
        authorize(actor, Permission.CHAT_USE)
        query.check()
        if query.after is not None and not 0 <= query.after <= MAX_SEQ:
            raise Invalid.field("after", "must be the number of a message, or 0.")
        with self._db.read() as reader:
            self._seen(reader, actor, session_id)
            return chat.history(reader, session_id, query)

    def last_seq(self, actor: Actor, session_id: str) -> int:
        """Return the number of the latest message; 0: none yet.

        Raises:
            Forbidden, NotFound: as in ``join``.
        """
        authorize(actor, Permission.CHAT_USE)
        with self._db.read() as reader:
            return self._seen(reader, actor, session_id).last_seq

    def post(
        self, actor: Actor, session_id: str, content: str, *, client_id: str | None = None
    ) -> Posted:
        """Say something, joining if need be; with ``client_id`` once however often it is sent.

        The assistant's answer to a command is there when this returns; a model's comes later.

        Raises:
            Invalid: there is nothing in it, it is too long, or the client's id is not acceptable.
            Conflict: the client's id was used for something else.
            RateLimited: the account sent as much as it may for now.
            Forbidden, NotFound: as in ``join``.
        """
        authorize(actor, Permission.CHAT_USE)
        _check_message(content, client_id)
        with self._db.read() as reader:
            session = self._seen(reader, actor, session_id)
        who = job_requests.who(actor)
        self._allowance.take(who)
        new = NewChatMessage(
            role=ChatRole.USER,
            content=content,
            author_id=who,
            author_name=actor.name,
            client_id=client_id,
        )
        title = "" if is_command(content) else " ".join(content.split())
        message, replayed = self._db.write(
            lambda tx: chat_writes.say(tx, session_id, new, who, title)
        )
        # A command that was kept and not answered, by a process that died, is answered now.
        if not replayed or is_command(content):
            self._answer(actor, session, message)
        return Posted(message=message, replayed=replayed)

    def mark_read(self, actor: Actor, session_id: str, seq: int) -> None:
        """Note that the actor has seen everything up to ``seq``; never backwards.

        Raises:
            Invalid: ``seq`` is no number of a message.
            Forbidden, NotFound: as in ``join``.
        """
        authorize(actor, Permission.CHAT_USE)
        if not 0 <= seq <= MAX_SEQ:
            raise Invalid.field("seq", "must be the number of a message, or 0.")
        with self._db.read() as reader:
            session = self._seen(reader, actor, session_id)
        if seq > session.read_seq:
            who = job_requests.who(actor)
            self._db.write(lambda tx: chat_writes.mark_read(tx, session_id, who, seq))

    def _seen(self, reader: Reader, actor: Actor, session_id: str) -> ChatSession:
        found = chat.get(reader, session_id, job_requests.who(actor))
        if found is None:
            raise NotFound(f"There is no conversation {session_id}.")
        if found.job_id is not None:
            authorize(actor, Permission.JOBS_READ)
        if found.checkpoint_id is not None:
            authorize(actor, Permission.CHECKPOINTS_READ)
        return found

    def _answer(self, actor: Actor, session: ChatSession, message: ChatMessage) -> None:
        with self._db.read() as reader:
            people = len(chat.participants(reader, session.id))
        if not is_for_assistant(message.content, people):
            return

        def keep(text: str) -> None:
            said = NewChatMessage(
                role=ChatRole.ASSISTANT, content=text, author_name=NAME, reply_to=message.seq
            )
            self._db.write(lambda tx: chat_writes.answer(tx, session.id, said))

        if self._assistant.takes_time(message.content):
            self._assistant.think(actor, lambda: self._turns(session.id, message.seq), keep)
        else:
            keep(self._assistant.respond(actor, session, message.content))

    def _turns(self, session_id: str, last: int) -> Sequence[Turn]:
        """Return what a model is told: the messages up to number ``last``."""
        before = HistoryQuery(after=max(0, last - REMEMBERED), limit=REMEMBERED)
        with self._db.read() as reader:
            said = chat.history(reader, session_id, before).items
        return [Turn(one.role, one.author_name, one.content) for one in said if one.seq <= last]


def _on_job(reader: Reader, actor: Actor, job_id: str) -> str:
    """Return the title of a conversation on a job."""
    authorize(actor, Permission.JOBS_READ)
    job_requests.text("jobId", job_id, job_requests.MAX_NAME)
    job = job_reads.get(reader, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    return " ".join(job.task_description.split()) or job.job_type


def _on_checkpoint(reader: Reader, actor: Actor, checkpoint_id: str) -> tuple[str, str]:
    """Return the job of a checkpoint, and the title of a conversation on it."""
    authorize(actor, Permission.CHECKPOINTS_READ)
    authorize(actor, Permission.JOBS_READ)
    job_requests.text("checkpointId", checkpoint_id, job_requests.MAX_NAME)
    checkpoint = checkpoints.get(reader, checkpoint_id)
    if checkpoint is None:
        raise NotFound(f"There is no checkpoint {checkpoint_id}.")
    return checkpoint.job_id, " ".join(checkpoint.message.split()) or checkpoint.job_type


def _check_message(content: str, client_id: str | None) -> None:
    if not content.strip():
        raise Invalid.field("content", "must not be empty.")
    job_requests.text("content", content, MAX_MESSAGE)
    if client_id is None:
        return
    known = 1 <= len(client_id) <= MAX_CLIENT_ID
    if not known or not client_id.isascii() or not client_id.isprintable():
        raise Invalid.field("clientId", f"must be 1 to {MAX_CLIENT_ID} printable ASCII characters.")
