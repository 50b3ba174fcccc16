"""T11: every single-row edit, delete, insert, swap and tail cut in 10,000 rows is detected.

The suite takes samples; ``AGENT_CONSOLE_TAMPERED=all`` tries every row (about two minutes).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from agent_console.domain.seals import Hashes, Seal, check_rows, cover, row_hash
from agent_console.domain.verification import Verdict, Verification
from agent_console.services.seal_keys import SealKeys
from agent_console.services.verification import Verifier
from agent_console.store import seals
from agent_console.store.database import Database
from tests.support.journals import keys_of, seal, tamper, write

ROWS, PER_SEAL = 10_000, 250
EVERY = 1 if os.environ.get("AGENT_CONSOLE_TAMPERED") == "all" else 125
TEXTS = ("action", "actor_kind", "actor_name", "data")
NULLS = (
    "actor_id", "actor_role", "session", "ip", "job_id", "job_type", "checkpoint_id",
    "subject_id", "before", "after", "verdict",
)  # fmt: skip

Row = dict[str, Any]
Sealed = tuple[Seal, list[Row]]


def row(seq: int) -> Row:
    """Return a row with a value in every other column that may be NULL."""
    held = {name: f"{name} {seq}" for name in TEXTS}
    may_be = {name: f"{name} {seq}" if seq % 4 else None for name in NULLS}
    return {"seq": seq, "at": 10**15 + seq, **held, **may_be}


@pytest.fixture(scope="module")
def journal() -> list[Sealed]:
    """Return 10,000 rows, with a gap after each, under their seals."""
    rows = [row(2 * n) for n in range(1, ROWS + 1)]
    made = []
    for first in range(0, ROWS, PER_SEAL):
        part = rows[first : first + PER_SEAL]
        made.append((cover(hashes(part), number=1, newest_at=0, sealed_at=0, previous=""), part))
    return made


def hashes(rows: list[Row]) -> Hashes:
    return [(one["seq"], row_hash(one)) for one in rows]


def edits(part: list[Row], n: int) -> Iterator[tuple[list[Row], int]]:
    for name, value in part[n].items():
        if name == "seq":
            continue
        other = {int: value + 1 if isinstance(value, int) else 0, str: f"{value} ", type(None): ""}[
            type(value)
        ]
        yield [*part[:n], {**part[n], name: other}, *part[n + 1 :]], part[n]["seq"]
        if name in NULLS and value is not None:
            yield [*part[:n], {**part[n], name: None}, *part[n + 1 :]], part[n]["seq"]


def deletion(part: list[Row], n: int) -> Iterator[tuple[list[Row], int]]:
    yield [*part[:n], *part[n + 1 :]], part[n]["seq"]


def insertion(part: list[Row], n: int) -> Iterator[tuple[list[Row], int]]:
    free = part[n]["seq"] + 1
    if n + 1 < len(part):  # after the last one it is a row without a seal, or of the next
        yield [*part[: n + 1], {**part[n], "seq": free}, *part[n + 1 :]], free


def swaps(part: list[Row], n: int) -> Iterator[tuple[list[Row], int]]:
    for m in {n + 1, len(part) - 1} - {n, len(part)}:
        first, second = part[n], part[m]
        changed = list(part)
        changed[n], changed[m] = {**second, "seq": first["seq"]}, {**first, "seq": second["seq"]}
        yield changed, first["seq"]


def cut(part: list[Row], n: int) -> Iterator[tuple[list[Row], int]]:
    yield part[:n], part[n]["seq"]


@pytest.mark.parametrize("mutation", [edits, deletion, insertion, swaps, cut])
def test_every_single_row_mutation_names_the_first_bad_row(
    journal: list[Sealed],
    mutation: Callable[[list[Row], int], Iterator[tuple[list[Row], int]]],
    record_property: Callable[[str, object], None],
) -> None:
    tried = 0
    for made, part in journal:
        whole = hashes(part)
        assert check_rows(made, whole) is None
        known = dict(whole)
        by_id = {id(one): known[one["seq"]] for one in part}
        for n in range(0, PER_SEAL, EVERY):
            for changed, bad in mutation(part, n):
                # Untouched rows keep the hash that was computed for them.
                seen = [(one["seq"], by_id.get(id(one)) or row_hash(one)) for one in changed]
                fault = check_rows(made, seen)
                assert fault is not None
                assert fault.seq == bad
                tried += 1
    assert tried >= len(journal) * (PER_SEAL // EVERY)
    record_property("mutations", tried)
    print(f"{mutation.__name__}: {tried:,} of {ROWS:,} rows' mutations tried, all detected")  # noqa: T201


@pytest.fixture
def keys() -> SealKeys:
    return keys_of()


@pytest.fixture
def sealed(db: Database, keys: SealKeys) -> Database:
    """Return a database with 300 rows of the journal under six seals."""
    write(db, 300)
    assert seal(db, keys, batch=50) == 300
    return db


def verified(db: Database, keys: SealKeys) -> Verification:
    return Verifier(db, keys).verify()


COPY = ", ".join(name for name in seals.ROW if name != "seq")
MUTATIONS: dict[str, tuple[tuple[str, ...], int]] = {
    "an edit of words": (("UPDATE audit_logs SET data = '{}' WHERE seq = 123",), 123),
    "an edit of the instant": (("UPDATE audit_logs SET at = at + 1 WHERE seq = 1",), 1),
    "a name where there was none": (("UPDATE audit_logs SET ip = '' WHERE seq = 300",), 300),
    "a deletion": (("DELETE FROM audit_logs WHERE seq = 200",), 200),
    "a deletion at an edge": (("DELETE FROM audit_logs WHERE seq = 51",), 51),
    "an insertion before all": (
        (f"INSERT INTO audit_logs (seq, {COPY}) SELECT 0, {COPY} FROM audit_logs WHERE seq = 9",),
        0,
    ),
    "a row in the place of another": (
        (
            "DELETE FROM audit_logs WHERE seq = 77",
            (f"INSERT INTO audit_logs (seq, {COPY}) SELECT 77, {COPY}"
            " FROM audit_logs WHERE seq = 78"),
        ),
        77,
    ),
    "a swap": (
        (
            "UPDATE audit_logs SET seq = -1 WHERE seq = 10",
            "UPDATE audit_logs SET seq = 10 WHERE seq = 290",
            "UPDATE audit_logs SET seq = 290 WHERE seq = -1",
        ),
        10,
    ),
    "a tail cut": (("DELETE FROM audit_logs WHERE seq > 280",), 281),
    "everything deleted": (("DELETE FROM audit_logs",), 1),
    "an edit with its seal's root": (
        ("UPDATE audit_logs SET data = '{}' WHERE seq = 60", ("UPDATE audit_seals SET root = 'x'"
         " WHERE number = 2")),
        51,
    ),
    "a seal taken out": (("DELETE FROM audit_seals WHERE number = 3",), 101),
    "the first seals taken out": (("DELETE FROM audit_seals WHERE number < 4",), 1),
    "a seal that says it was pruned": (
        ("DELETE FROM audit_logs WHERE seq <= 50",
         ("UPDATE audit_seals SET count = 0, prints = ',', pruned_at = 1, anchor = 1"
         " WHERE number = 1")),
        1,
    ),
    "a seal signed by nobody": (("UPDATE audit_seals SET mac = '0' WHERE number = 6",), 251),
    "another order of seals": (
        ("UPDATE audit_seals SET number = 100 WHERE number = 2",
         "UPDATE audit_seals SET number = 2 WHERE number = 4",
         "UPDATE audit_seals SET number = 4 WHERE number = 100"),
        51,
    ),
}  # fmt: skip


KEEP = [
    f"CREATE TABLE kept_{name} AS SELECT * FROM {name}" for name in ("audit_logs", "audit_seals")
]
PUT_BACK = [
    statement
    for name in ("audit_logs", "audit_seals")
    for statement in (f"DELETE FROM {name}", f"INSERT INTO {name} SELECT * FROM kept_{name}")
]


def test_what_the_owner_of_the_database_does_is_named(sealed: Database, keys: SealKeys) -> None:
    tamper(sealed, *KEEP)
    for what, (statements, bad) in MUTATIONS.items():
        before = verified(sealed, keys)
        assert (before.verdict, before.rows, before.seals) == (Verdict.INTACT, 300, 6), what
        tamper(sealed, *statements)
        found = verified(sealed, keys)
        assert (found.verdict, found.first_bad_seq) == (Verdict.BROKEN, bad), (what, found.reason)
        tamper(sealed, *PUT_BACK)


def test_a_row_in_the_gap_between_two_seals_is_found(db: Database, keys: SealKeys) -> None:
    write(db, 10)
    seal(db, keys)
    tamper(db, "UPDATE audit_logs SET seq = seq + 1000 WHERE seq > 4")
    tamper(db, "DELETE FROM audit_seals")
    if db.dialect == "postgresql":
        tamper(db, "SELECT setval('audit_logs_seq_seq', 1010)")
    seal(db, keys, batch=4)
    assert verified(db, keys).rows == 10
    tamper(db, f"INSERT INTO audit_logs (seq, {COPY}) SELECT 7, {COPY} FROM audit_logs"
           " WHERE seq = 1")  # fmt: skip
    assert verified(db, keys).first_bad_seq == 7


def test_the_unsealed_tail_is_told_and_not_proven(sealed: Database, keys: SealKeys) -> None:
    write(sealed, 7)
    found = verified(sealed, keys)
    assert (found.verdict, found.sealed_seq, found.unsealed) == (Verdict.INTACT, 300, 7)


def test_only_a_head_that_was_kept_elsewhere_shows_that_the_end_was_cut_with_its_seals(
    sealed: Database, keys: SealKeys
) -> None:
    from agent_console.domain.seals import head_of

    with sealed.read() as reader:
        last = seals.newest(reader)
    key = keys.newest()
    assert last is not None
    assert key is not None
    head = head_of(last, key.id, key.value)
    verifier = Verifier(sealed, keys)
    assert verifier.verify(head=head).verdict is Verdict.INTACT
    forged = verifier.verify(head=replace(head, last_seq=250))
    assert (forged.verdict, forged.reason) == (Verdict.BROKEN, "the head's signature is not valid")

    tamper(sealed, "DELETE FROM audit_logs WHERE seq > 250")
    tamper(sealed, "DELETE FROM audit_seals WHERE number = 6")
    assert verifier.verify().verdict is Verdict.INTACT
    found = verifier.verify(head=head)
    assert (found.verdict, found.first_bad_seq) == (Verdict.BROKEN, 251)

    write(sealed, 20)  # the console goes on, and seals what follows
    seal(sealed, keys)
    assert verifier.verify().verdict is Verdict.INTACT
    found = verifier.verify(head=head)
    assert (found.verdict, found.reason) == (
        Verdict.BROKEN,
        "seal 6 is not the one of the head",
    )


def test_the_hash_of_a_row_is_that_of_its_canonical_json() -> None:
    from agent_console.domain.payload import canonical, digest

    odd = {**row(1), "data": '{"a":"\\u2028"}', "actor_name": 'Ada "漢" \U0001f511\x01\n\ue000'}
    assert row_hash(odd) == digest(canonical(odd))
    more = {**odd, "ip": None, "new_column": None}
    less = {name: value for name, value in odd.items() if name != "ip"}
    assert row_hash(more) == row_hash(less)


def test_verification_keeps_a_page_of_rows_in_memory_not_the_journal(
    sealed: Database, keys: SealKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "PAGE", 20)
    sizes: list[int] = []
    read = seals.Reader.rows

    def counted(reader: Any, sql: str, params: Any = None) -> Any:
        found = read(reader, sql, params)
        sizes.append(len(found))
        return found

    monkeypatch.setattr(seals.Reader, "rows", counted)
    assert verified(sealed, keys).rows == 300
    assert max(sizes) == 20
