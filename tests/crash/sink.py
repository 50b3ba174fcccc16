"""The world outside: effects that happen when they happen, and apply once per idempotency key.

Every call is written down before anything else (``raw``); a file named by the key is what it
changed (``applied``). A call that must not have happened is written down as an offence.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent_console.domain.payload import digest
from agent_console.store.database import Database


@dataclass
class Sink:
    """One folder, written by any number of processes."""

    folder: Path
    db: Database

    def __post_init__(self) -> None:
        (self.folder / "applied").mkdir(parents=True, exist_ok=True)

    def apply(self, key: str, name: str, checkpoint_id: str | None = None) -> dict[str, str]:
        """Do the effect ``name``; ``checkpoint_id`` is the approval it needs, if it needs one."""
        self._note("raw.log", {"key": key, "name": name, "pid": os.getpid()})
        if self._recorded(key):
            self._note("offences.log", {"key": key, "offence": "a recorded step was repeated"})
        if checkpoint_id is not None and not self._approved(checkpoint_id):
            self._note("offences.log", {"key": key, "offence": "done without an approval"})
        try:
            os.close(os.open(self._applied(key), os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return {"key": key, "name": name}  # applied by an earlier call with the same key
        self._applied(key).write_text(name)
        return {"key": key, "name": name}

    def ask(self, key: str, job_id: str, token: str) -> dict[str, str]:
        """Do the effect ``build``, and hand ``token`` to whoever answers."""
        self._note("asked.log", {"job": job_id, "token": token})
        return self.apply(key, "build")

    def asked(self) -> list[tuple[str, str]]:
        """Return job and token of every question."""
        return [(str(line["job"]), str(line["token"])) for line in self._read("asked.log")]

    def raw(self) -> Counter[str]:
        """Return how often each key was used."""
        return Counter(str(line["key"]) for line in self._read("raw.log"))

    def applied(self) -> dict[str, str]:
        """Return the name of the effect of each key; a kill may have left it empty."""
        return {
            path.name.replace("@", ":"): path.read_text()
            for path in (self.folder / "applied").iterdir()
        }

    def offences(self) -> list[dict[str, Any]]:
        """Return what must not have happened."""
        return self._read("offences.log")

    def _applied(self, key: str) -> Path:
        return self.folder / "applied" / key.replace(":", "@")

    def _recorded(self, key: str) -> bool:
        job_id, position = key.rsplit(":", 1)
        with self.db.read() as reader:
            found = reader.row(
                "SELECT 1 FROM job_steps WHERE job_id = :job_id AND position = :position",
                {"job_id": job_id, "position": int(position)},
            )
        return found is not None

    def _approved(self, checkpoint_id: str) -> bool:
        with self.db.read() as reader:
            found = reader.row(
                "SELECT status, payload, payload_digest, decision_digest FROM agent_checkpoints"
                " WHERE id = :id",
                {"id": checkpoint_id},
            )
        if found is None:
            return False
        status, payload, payload_digest, decision_digest = found
        return status == "APPROVED" and digest(payload) == payload_digest == decision_digest

    def _note(self, name: str, line: dict[str, Any]) -> None:
        with (self.folder / name).open("a") as file:  # one short append: lines do not mix
            file.write(json.dumps(line) + "\n")

    def _read(self, name: str) -> list[dict[str, Any]]:
        path = self.folder / name
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text().splitlines()]
