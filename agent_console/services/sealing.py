"""Sealing the journal: a sweep that every process may run, and that waits for nobody."""

from __future__ import annotations

import logging
from typing import Final

from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.errors import Misconfigured
from agent_console.domain.seals import GENESIS, cover, sign
from agent_console.services.seal_keys import SealKey, SealKeys
from agent_console.store import seals
from agent_console.store.database import Database
from agent_console.store.seals import Horizon, Standing

BATCH: Final = 10_000  # rows that one seal covers at most
PATIENCE: Final = 4.0  # seconds that a row waits for others to be sealed with

_log = logging.getLogger(__name__)


class Sealer:
    """Seals what is committed and settled. Used by one thread at a time."""

    def __init__(
        self, db: Database, keys: SealKeys, *, batch: int = BATCH, patience: float = PATIENCE
    ) -> None:
        """Seal the journal of ``db`` with ``keys``, at most ``batch`` rows at a time."""
        self._db, self._keys = db, keys
        self._batch, self._patience = batch, int(patience * MICROSECONDS)
        self._horizon = Horizon(db)
        self._complaint = ""

    def seal(self) -> int:
        """Seal what there is; return how many rows. With nothing to do it reads once.

        Raises:
            Unavailable: the database is out of reach; what was sealed until then is.
        """
        total = 0
        while True:
            done = self._seal_one()
            total += done
            if done < self._batch:
                return total

    def _seal_one(self) -> int:
        with self._db.read() as reader:
            standing = seals.standing(reader)
        if not self._is_due(standing):
            return 0
        key = self._key(standing)
        upto = None if key is None else self._horizon.reach(standing.newest)
        if key is None or upto is None or upto <= standing.sealed:
            return 0
        with self._db.read() as reader:
            found = list(seals.hashes(reader, after=standing.sealed, upto=upto, most=self._batch))
        if not found:
            return 0
        last = standing.last
        seal = cover(
            [(seq, each) for seq, _, each in found],
            number=1 if last is None else last.number + 1,
            newest_at=max(at for _, at, _ in found),
            sealed_at=standing.now,
            previous=GENESIS if last is None else last.hash,
        )
        signed = sign(seal, key.id, key.value)
        return len(found) if self._db.write(lambda tx: seals.insert(tx, signed)) else 0

    def _is_due(self, standing: Standing) -> bool:
        if standing.waiting_since is None:
            return False
        full = standing.newest - standing.sealed >= self._batch
        return full or standing.now - standing.waiting_since >= self._patience

    def _key(self, standing: Standing) -> SealKey | None:
        last = None if standing.last is None else standing.last.key_id
        try:
            key = self._keys.signing(last)
        except Misconfigured as error:
            self._complain(f"the journal is not sealed by this process: {error.message}")
            return None
        if key is None:
            self._complain(
                f"the journal is not sealed by this process: its keystore lacks the key {last}"
            )
        return key

    def _complain(self, words: str) -> None:
        """Say once what does not change from sweep to sweep."""
        if words != self._complaint:
            self._complaint = words
            _log.warning(words)
