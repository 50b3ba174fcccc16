"""Does the database answer, and soon? A probe that no half-open connection can hold up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from agent_console.domain.errors import ConsoleError
from agent_console.store.database import Database

PATIENCE = 3.0  # seconds until a database that does not answer counts as down
HUNG = f"No answer within {PATIENCE:g} seconds."
_log = logging.getLogger(__name__)


class Probe:
    """Asks on a thread and a connection of its own; one question at a time."""

    def __init__(self, db: Database) -> None:
        """Open nothing yet."""
        self._db = db
        self._own: Database | None = None
        self._asking = threading.Lock()
        self._latest: _Question | None = None

    def ask(self) -> str:
        """Return "" when the database answers within ``PATIENCE`` seconds, else what is wrong.

        Whoever asks while a question is open waits for its answer, and no longer than it may take.
        """
        with self._asking:
            question = self._latest
            if question is None or question.done.is_set():
                self._own = self._own or self._db.own_connection(statement_timeout=PATIENCE)
                question = self._latest = _Question(self._own)
        return question.problem if question.done.wait(PATIENCE) else HUNG


class _Question:
    """One query under way."""

    def __init__(self, db: Database) -> None:
        self.done = threading.Event()
        self.problem = HUNG
        threading.Thread(target=self._run, args=(db,), name="probe", daemon=True).start()

    def _run(self, db: Database) -> None:
        self.problem = _outcome(lambda: _look(db))
        self.done.set()


def _look(db: Database) -> None:
    with db.read() as reader:
        reader.row("SELECT 1 FROM ai_jobs LIMIT 1")


def _outcome(look: Callable[[], None]) -> str:
    try:
        look()
    except ConsoleError as error:
        return error.message
    except Exception:  # noqa: BLE001 - logged; a health report must come out of anything
        _log.exception("the database check failed")
        return "The database refuses queries; the log says why."
    return ""
