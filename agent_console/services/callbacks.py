"""Callbacks: what an external worker, asked by a job, answers later."""

from __future__ import annotations

import hashlib

from agent_console.domain.access import Actor
from agent_console.domain.errors import Unauthenticated
from agent_console.domain.jobs import Json
from agent_console.domain.payload import canonical, check_json
from agent_console.store import callbacks
from agent_console.store.database import Database

CALLER = Actor(kind="token", name="external worker")


class CallbackService:
    """Use cases of external workers. Holding the call's token is the permission."""

    def __init__(self, db: Database) -> None:
        """Work on ``db``."""
        self._db = db

    def caller(self, job_id: str, token: str) -> Actor:
        """Return the actor that holds ``token``, before anything it says is read.

        Raises:
            Unauthenticated: it is no token of this job; whether the job exists is not said.
        """
        with self._db.read() as reader:
            if callbacks.position_of(reader, job_id, digest_of(token)) is None:
                raise Unauthenticated("The callback token is not valid for this job.")
        return CALLER

    def receive(self, job_id: str, token: str, body: dict[str, Json]) -> bool:
        """Take the answer to a call and wake the job that waits for it; False: a repetition.

        Raises:
            Invalid: a value cannot be stored.
            Unauthenticated: the token is not one of this job's.
            Conflict: another answer was first, or the job has ended.
        """
        check_json(body, "body")
        text, token_hash = canonical(body), digest_of(token)
        return self._db.write(lambda tx: callbacks.receive(tx, job_id, token_hash, text, CALLER))


def digest_of(token: str) -> str:
    """Return the form in which a token is stored."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
