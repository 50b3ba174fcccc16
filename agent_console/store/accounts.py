"""Accounts, and the links that make the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.records import User
from agent_console.store import rows
from agent_console.store.transactions import Params, Queries, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """An account to be made; ``email`` in lower case, the password already hashed."""

    id: str
    email: str
    name: str
    role: str
    password_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What signing in needs to know of an account; ``wait`` is seconds until a try is allowed."""

    user: User
    password_hash: str
    failed_logins: int
    wait: float


def any_user(reader: Queries) -> bool:
    """Say whether there is an account at all."""
    return reader.row("SELECT 1 FROM users LIMIT 1") is not None


def users(reader: Queries) -> list[User]:
    """Return all accounts, oldest first."""
    return [rows.user(row) for row in reader.dicts("SELECT * FROM users ORDER BY created_at, id")]


def by_email(reader: Queries, email: str) -> User | None:
    """Return the account with ``email`` (lower case), or None."""
    found = reader.dicts("SELECT * FROM users WHERE email = :email", {"email": email})
    return rows.user(found[0]) if found else None


def find(reader: Queries, user_id: str) -> User | None:
    """Return the account, or None."""
    found = reader.dicts("SELECT * FROM users WHERE id = :id", {"id": user_id})
    return rows.user(found[0]) if found else None


def by_id(reader: Queries, user_id: str) -> User:
    """Return the account.

    Raises:
        NotFound: there is none.
    """
    user = find(reader, user_id)
    if user is None:
        raise NotFound(f"There is no user {user_id}.")
    return user


def credentials(reader: Queries, email: str) -> Credentials | None:
    """Return what proves the account with ``email`` (lower case), or None."""
    found = reader.dicts(
        "SELECT *, locked_until - {now} AS wait FROM users WHERE email = :email", {"email": email}
    )
    return _credentials(found[0]) if found else None


def _credentials(row: dict[str, Any]) -> Credentials:
    return Credentials(
        user=rows.user(row),
        password_hash=row["password_hash"],
        failed_logins=row["failed_logins"],
        wait=max(0, row["wait"]) / MICROSECONDS,
    )


_VALUES = ":id, :email, :name, :role, :password_hash, 0, 0, 0, {now}, {now}"
_INTO = (
    "INSERT INTO users (id, email, name, role, password_hash, disabled, failed_logins,"
    " locked_until, created_at, updated_at)"
)


def _params(new: NewUser) -> Params:
    return {
        "id": new.id,
        "email": new.email,
        "name": new.name,
        "role": new.role,
        "password_hash": new.password_hash,
    }


def insert(tx: Tx, new: NewUser) -> User:
    """Insert an account.

    Raises:
        Conflict: the e-mail address is taken.
    """
    made = tx.dicts(
        f"{_INTO} VALUES ({_VALUES}) ON CONFLICT (email) DO NOTHING RETURNING *", _params(new)
    )
    if not made:
        raise Conflict("There is already an account with this e-mail address.")
    return rows.user(made[0])


def insert_first(tx: Tx, new: NewUser) -> User:
    """Insert an account if there is none yet; the condition is part of the insert.

    Raises:
        Conflict: somebody has claimed the console already.
    """
    made = tx.dicts(
        f"{_INTO} SELECT {_VALUES} WHERE NOT EXISTS (SELECT 1 FROM users) RETURNING *",
        _params(new),
    )
    if not made:
        raise Conflict("This console already has an account; sign in instead.")
    return rows.user(made[0])


def failed(tx: Tx, user_id: str, delay: float) -> None:
    """Count a failed sign-in; the next try is allowed after ``delay`` seconds."""
    tx.execute(
        "UPDATE users SET failed_logins = failed_logins + 1, locked_until = {now} + :delay"
        " WHERE id = :id",
        {"id": user_id, "delay": int(delay * MICROSECONDS)},
    )


def succeeded(tx: Tx, user_id: str, rehashed: str | None) -> None:
    """Forget failed sign-ins; keep ``rehashed`` when the hash's parameters have changed."""
    tx.execute(
        "UPDATE users SET failed_logins = 0, locked_until = 0,"
        " password_hash = coalesce(:rehashed, password_hash) WHERE id = :id",
        {"id": user_id, "rehashed": rehashed},
    )


def change(
    tx: Tx,
    user_id: str,
    *,
    role: str | None = None,
    disabled: bool | None = None,
    password_hash: str | None = None,
) -> User:
    """Change what is given, and nothing else.

    Raises:
        NotFound: there is no such account.
        Conflict: nobody would be left who may manage accounts.
    """
    # All admins are locked, in one order, so that two cannot demote each other.
    admins = tx.rows(
        "SELECT id FROM users WHERE role = 'admin' AND disabled = 0 ORDER BY id {for_update}"
    )
    changed = tx.dicts(
        "UPDATE users SET role = coalesce(:role, role), disabled = coalesce(:disabled, disabled),"
        " password_hash = coalesce(:password_hash, password_hash), updated_at = {now}"
        " WHERE id = :id RETURNING *",
        {
            "id": user_id,
            "role": role,
            "disabled": None if disabled is None else int(disabled),
            "password_hash": password_hash,
        },
    )
    if not changed:
        raise NotFound(f"There is no user {user_id}.")
    left = tx.row("SELECT 1 FROM users WHERE role = 'admin' AND disabled = 0 LIMIT 1")
    if admins and left is None:
        raise Conflict("The console needs at least one enabled admin.")
    return rows.user(changed[0])


def another_decider(
    reader: Queries,
    user_id: str | None,
    roles: Sequence[str],
    people: Sequence[str],
    deciding: Sequence[str],
) -> bool:
    """Say whether an enabled account other than ``user_id`` may decide.

    One does that has one of ``roles``, or is one of ``people`` and has one of ``deciding``.
    """
    given: Params = {"id": user_id or ""}

    def among(name: str, values: Sequence[str]) -> str:
        named: Params = {f"{name}_{number}": value for number, value in enumerate(values)}
        given.update(named)
        return ", ".join(f":{one}" for one in named) or "NULL"

    row = reader.row(
        "SELECT 1 FROM users WHERE disabled = 0 AND id <> :id"
        f" AND (role IN ({among('role', roles)}) OR (id IN ({among('person', people)})"
        f" AND role IN ({among('deciding', deciding)}))) LIMIT 1",
        given,
    )
    return row is not None


def add_setup_link(tx: Tx, link_id: str, seconds: float) -> None:
    """Store a setup link that lasts ``seconds``; links that have ended go.

    Raises:
        Conflict: there is an account already.
    """
    if any_user(tx):
        raise Conflict("This console already has an account; sign in instead.")
    tx.execute("DELETE FROM setup_links WHERE expires_at <= {now}")
    tx.execute(
        "INSERT INTO setup_links (id, expires_at) VALUES (:id, {now} + :lasts)",
        {"id": link_id, "lasts": int(seconds * MICROSECONDS)},
    )


def setup_link_is_open(reader: Queries, link_id: str) -> bool:
    """Say whether the link can still be used."""
    row = reader.row(
        "SELECT 1 FROM setup_links WHERE id = :id AND used_at IS NULL AND expires_at > {now}",
        {"id": link_id},
    )
    return row is not None


def use_setup_link(tx: Tx, link_id: str) -> bool:
    """Use up the link; False when it is used, expired or unknown.

    Every open link is locked first, in one order: claims with different links wait for each other,
    so that the second sees the account the first has made.
    """
    tx.rows("SELECT id FROM setup_links ORDER BY id {for_update}")
    used = tx.execute(
        "UPDATE setup_links SET used_at = {now}"
        " WHERE id = :id AND used_at IS NULL AND expires_at > {now}",
        {"id": link_id},
    )
    return used == 1
