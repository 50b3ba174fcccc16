"""Seals of the journal: what a row, a batch of rows and their chain hash to, and how it is checked.

A seal covers the rows from ``first_seq`` to ``last_seq``. ``root`` is the SHA-256 over the hashes
of its rows in order, ``prints`` lists sequence and beginning of the hash of each, so that a check
that fails can name the row. ``hash`` chains it to the seal before; ``mac`` signs all of it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cache
from json.encoder import encode_basestring as quoted
from types import MappingProxyType
from typing import Any

from agent_console.domain.clock import from_micros, to_micros
from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import Json
from agent_console.domain.payload import canonical

GENESIS = "0" * 64  # what the first seal has for the hash of the one before
PRINT = 16  # hexadecimal digits of a row's hash that a seal keeps to name the row by
_SEAL, _HEAD = b"agent_console seal 1\n", b"agent_console head 1\n"

# Made once: an encoder for each value took a third of the time of a row's hash.
_value_text = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=repr
).encode
_WRITTEN: Mapping[type, Callable[[Any], str]] = MappingProxyType({str: quoted, int: str})

Hashes = Sequence[tuple[int, str]]  # sequence and SHA-256 of each row, in order


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A row of ``audit_seals``; instants are microseconds.

    Once it is pruned, ``count``, ``root`` and ``prints`` speak of the rows that are left;
    ``hash`` stays what it was. ``anchor``: no row is left at or before this seal.
    """

    number: int
    first_seq: int
    last_seq: int
    count: int
    root: str
    prints: str
    newest_at: int
    sealed_at: int
    previous: str
    hash: str = ""
    pruned_at: int | None = None
    anchor: int = 0
    key_id: str = ""
    mac: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest seal as it is exported: whoever keeps it can prove that nothing was cut off."""

    number: int
    last_seq: int
    hash: str
    sealed_at: int
    key_id: str
    mac: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: the first sequence that cannot be trusted, and why."""

    seq: int
    reason: str


def row_hash(row: Mapping[str, object]) -> str:
    """Return the SHA-256 of the canonical JSON of a row of the journal: its names and values.

    A column that is NULL is left out: rows keep their hash when the table gets another column.
    Columns hold integers and texts, for which this is RFC 8785. Anything else was put there by
    somebody else; it hashes to something, which is not what was sealed.
    """
    return hasher(tuple(row))(tuple(row.values()))


@cache
def hasher(names: tuple[str, ...]) -> Callable[[Sequence[object]], str]:
    """Return what hashes rows with the columns ``names``, of their values in that order.

    Every row of the journal is hashed, and all have the same names: these are put in order and
    written once.
    """
    ordered = sorted((name, place) for place, name in enumerate(names))
    members = [(f",{quoted(name)}:", place) for name, place in ordered]

    def hashed(row: Sequence[object]) -> str:
        said = [
            head + _WRITTEN.get(type(value), _value_text)(value)
            for head, place in members
            if (value := row[place]) is not None
        ]
        text = f"{{{''.join(said)[1:]}}}"
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()

    return hashed


def cover(hashes: Hashes, *, number: int, newest_at: int, sealed_at: int, previous: str) -> Seal:
    """Return the seal, not signed yet, of the rows that ``hashes`` are of; at least one."""
    seal = Seal(
        number=number,
        first_seq=hashes[0][0],
        last_seq=hashes[-1][0],
        count=len(hashes),
        root=root_of(hashes),
        prints=prints_of(hashes),
        newest_at=newest_at,
        sealed_at=sealed_at,
        previous=previous,
    )
    return replace(seal, hash=chain_hash(seal))


def root_of(hashes: Hashes) -> str:
    """Return the SHA-256 over the hashes of the rows, in order."""
    joined = hashlib.sha256()
    for _, each in hashes:
        joined.update(bytes.fromhex(each))
    return joined.hexdigest()


def prints_of(hashes: Hashes) -> str:
    """Return ``,sequence:print,…,``: a comma on both sides, so that a row can be searched for."""
    return "".join(f",{seq}:{each[:PRINT]}" for seq, each in hashes) + ","


def chain_hash(seal: Seal) -> str:
    """Return the hash by which the next seal knows this one, as it was before any pruning."""
    body = {
        "number": seal.number,
        "firstSeq": seal.first_seq,
        "lastSeq": seal.last_seq,
        "count": seal.count,
        "root": seal.root,
        "prints": _digest(seal.prints),
        "newestAt": seal.newest_at,
        "sealedAt": seal.sealed_at,
        "previous": seal.previous,
    }
    return _digest(canonical(body))


def sign(seal: Seal, key_id: str, key: bytes) -> Seal:
    """Return ``seal`` with its signature by ``key``."""
    named = replace(seal, key_id=key_id)
    return replace(named, mac=_mac(_SEAL, key, _signed(named)))


def is_signed(seal: Seal, key: bytes) -> bool:
    """Say whether the signature of ``seal`` was made with ``key``."""
    return hmac.compare_digest(seal.mac, _mac(_SEAL, key, _signed(seal)))


def head_of(seal: Seal, key_id: str, key: bytes) -> Head:
    """Return the signed head that names ``seal``."""
    head = Head(
        number=seal.number,
        last_seq=seal.last_seq,
        hash=seal.hash,
        sealed_at=seal.sealed_at,
        key_id=key_id,
    )
    return replace(head, mac=_mac(_HEAD, key, _signed(head)))


def is_signed_head(head: Head, key: bytes) -> bool:
    """Say whether the signature of ``head`` was made with ``key``."""
    return hmac.compare_digest(head.mac, _mac(_HEAD, key, _signed(head)))


def head_document(head: Head) -> dict[str, Json]:
    """Return the head as JSON values, as it is exported."""
    return {
        "number": head.number,
        "lastSeq": head.last_seq,
        "hash": head.hash,
        "sealedAt": from_micros(head.sealed_at).isoformat(timespec="microseconds"),
        "keyId": head.key_id,
        "mac": head.mac,
    }


def parse_head(text: str) -> Head:
    """Return the head that ``text`` is, as it was exported or as REST has answered it.

    Raises:
        Invalid: it is neither.
    """
    try:
        found = json.loads(text)
        found = found.get("head", found)
        return Head(
            number=int(found["number"]),
            last_seq=int(found["lastSeq"]),
            hash=str(found["hash"]),
            sealed_at=to_micros(datetime.fromisoformat(found["sealedAt"])),
            key_id=str(found["keyId"]),
            mac=str(found["mac"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Invalid.field("head", "is no exported head of a journal.") from None


def check_link(seal: Seal, before: Seal | None) -> Fault | None:
    """Compare ``seal`` with the one before it (None: it is the first that there is)."""
    expected = 1 if before is None else before.number + 1
    since = 1 if before is None else before.last_seq + 1
    if seal.number != expected and not seal.anchor:
        return Fault(since, f"seal {expected} is missing")
    chained = GENESIS if before is None else before.hash
    if seal.number == expected and seal.previous != chained:
        return Fault(since, f"seal {seal.number} does not follow the one before it")
    if seal.first_seq < since or seal.last_seq < seal.first_seq:
        return Fault(seal.first_seq, f"seal {seal.number} covers rows of another seal")
    if seal.pruned_at is None and seal.hash != chain_hash(seal):
        return Fault(seal.first_seq, f"seal {seal.number} was changed")
    return None


def check_rows(seal: Seal, hashes: Hashes) -> Fault | None:
    """Compare the rows that there are after the seal before, up to ``last_seq``, with ``seal``."""
    if len(hashes) == seal.count and root_of(hashes) == seal.root:
        return None
    found = dict(hashes)
    listed = dict(_parsed(seal.prints))
    for seq in sorted(found.keys() | listed.keys()):
        if seq not in listed:
            return Fault(seq, "row was inserted")
        if seq not in found:
            return Fault(seq, "row is missing")
        if found[seq][:PRINT] != listed[seq]:
            return Fault(seq, "row was changed")
    return Fault(seal.first_seq, f"seal {seal.number} does not fit its own rows")


def _parsed(prints: str) -> Iterable[tuple[int, str]]:
    for one in prints.split(","):
        seq, _, short = one.partition(":")
        if seq.isdigit():
            yield int(seq), short


def _signed(value: Seal | Head) -> str:
    body = asdict(value)
    del body["mac"]
    if "prints" in body:
        body["prints"] = _digest(body["prints"])
    return canonical(body)


def _mac(purpose: bytes, key: bytes, text: str) -> str:
    return hmac.new(key, purpose + text.encode(), hashlib.sha256).hexdigest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
