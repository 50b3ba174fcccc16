"""Browser sessions and API tokens; of their secrets only SHA-256 hashes are here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from agent_console.domain.clock import MICROSECONDS, from_micros
from agent_console.domain.payload import dumps, loads
from agent_console.domain.records import User
from agent_console.store import rows
from agent_console.store.dialects import ids_param
from agent_console.store.transactions import Queries, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A live session: whose it is and how long ago (seconds) it was last marked as seen."""

    user: User
    expires_at: datetime
    unseen: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A token that is neither revoked nor expired; ``unused`` is seconds since its last use."""

    id: str
    user: User
    secret_hash: str
    scopes: tuple[str, ...]
    unused: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiTokenView:
    """A token as lists show it: never its secret."""

    id: str
    email: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


def open_session(
    tx: Tx,
    session_id: str,
    user_id: str,
    *,
    lifetime: float,
    ip: str | None,
    user_agent: str | None,
) -> datetime:
    """Store a new session of ``lifetime`` seconds; return when it ends. Ended ones go."""
    tx.execute("DELETE FROM sessions WHERE expires_at <= {now}")
    row = tx.row(
        "INSERT INTO sessions (id, user_id, created_at, last_seen_at, expires_at, ip, user_agent)"
        " VALUES (:id, :user_id, {now}, {now}, {now} + :lifetime, :ip, :user_agent)"
        " RETURNING expires_at",
        {
            "id": session_id,
            "user_id": user_id,
            "lifetime": int(lifetime * MICROSECONDS),
            "ip": ip,
            "user_agent": user_agent,
        },
    )
    assert row is not None  # noqa: S101 - INSERT … RETURNING gives a row or raises
    return from_micros(row[0])


def live_sessions(reader: Queries, ids: Sequence[str], idle: float) -> dict[str, SessionRow]:
    """Return those of the sessions that are neither revoked, ended, nor idle for ``idle`` s."""
    found = reader.dicts(
        "SELECT x.id AS session_id, x.expires_at, {now} - x.last_seen_at AS unseen,"
        " u.id, u.email, u.name, u.role, u.disabled, u.created_at"
        " FROM sessions x JOIN users u ON u.id = x.user_id"
        " WHERE x.id {among_ids} AND x.revoked_at IS NULL AND u.disabled = 0"
        " AND x.expires_at > {now} AND x.last_seen_at + :idle > {now}",
        {"ids": ids_param(ids, reader.dialect), "idle": int(idle * MICROSECONDS)},
    )
    return {
        row["session_id"]: SessionRow(
            user=rows.user(row),
            expires_at=from_micros(row["expires_at"]),
            unseen=row["unseen"] / MICROSECONDS,
        )
        for row in found
    }


def seen(tx: Tx, ids: Sequence[str]) -> None:
    """Mark the sessions as used now."""
    tx.execute(
        "UPDATE sessions SET last_seen_at = {now} WHERE id {among_ids}",
        {"ids": ids_param(ids, tx.dialect)},
    )


def revoke_session(tx: Tx, session_id: str) -> str | None:
    """End the session; return whose it was, None when it had ended before."""
    row = tx.row(
        "UPDATE sessions SET revoked_at = {now} WHERE id = :id AND revoked_at IS NULL"
        " RETURNING user_id",
        {"id": session_id},
    )
    return None if row is None else str(row[0])


def revoke_sessions(tx: Tx, user_id: str) -> int:
    """End all sessions of the account; return how many there were."""
    return tx.execute(
        "UPDATE sessions SET revoked_at = {now} WHERE user_id = :id AND revoked_at IS NULL",
        {"id": user_id},
    )


def add_token(
    tx: Tx, token_id: str, user_id: str, *, name: str, digest: str, scopes: list[str], days: int
) -> datetime:
    """Store a token; return when it ends."""
    row = tx.row(
        "INSERT INTO api_tokens (id, user_id, name, secret_hash, scopes, created_at, expires_at)"
        " VALUES (:id, :user_id, :name, :digest, :scopes, {now}, {now} + :lasts)"
        " RETURNING expires_at",
        {
            "id": token_id,
            "user_id": user_id,
            "name": name,
            "digest": digest,
            "scopes": dumps(sorted(scopes)),
            "lasts": days * 86_400 * MICROSECONDS,
        },
    )
    assert row is not None  # noqa: S101 - INSERT … RETURNING gives a row or raises
    return from_micros(row[0])


def live_token(reader: Queries, token_id: str) -> TokenRow | None:
    """Return the token if it is neither revoked nor expired and its account is enabled."""
    found = reader.dicts(
        "SELECT x.secret_hash, x.scopes, {now} - coalesce(x.last_used_at, 0) AS unused,"
        " u.id, u.email, u.name, u.role, u.disabled, u.created_at"
        " FROM api_tokens x JOIN users u ON u.id = x.user_id"
        " WHERE x.id = :id AND x.revoked_at IS NULL AND u.disabled = 0"
        " AND (x.expires_at IS NULL OR x.expires_at > {now})",
        {"id": token_id},
    )
    if not found:
        return None
    return TokenRow(
        id=token_id,
        user=rows.user(found[0]),
        secret_hash=found[0]["secret_hash"],
        scopes=_scopes(found[0]["scopes"]),
        unused=found[0]["unused"] / MICROSECONDS,
    )


def token_used(tx: Tx, token_id: str) -> None:
    """Mark the token as used now."""
    tx.execute("UPDATE api_tokens SET last_used_at = {now} WHERE id = :id", {"id": token_id})


def token_owner(reader: Queries, token_id: str) -> str | None:
    """Return whose token it is, or None."""
    row = reader.row("SELECT user_id FROM api_tokens WHERE id = :id", {"id": token_id})
    return None if row is None else str(row[0])


def revoke_token(tx: Tx, token_id: str) -> bool:
    """End the token; False when it had ended before."""
    ended = tx.execute(
        "UPDATE api_tokens SET revoked_at = {now} WHERE id = :id AND revoked_at IS NULL",
        {"id": token_id},
    )
    return ended == 1


def tokens(reader: Queries, user_id: str | None) -> list[ApiTokenView]:
    """Return the tokens of the account, or of all accounts, newest first."""
    found = reader.dicts(
        "SELECT x.*, u.email FROM api_tokens x JOIN users u ON u.id = x.user_id"
        " WHERE :user_id = '' OR x.user_id = :user_id ORDER BY x.created_at DESC, x.id",
        {"user_id": user_id or ""},
    )
    return [_view(row) for row in found]


def _view(row: dict[str, Any]) -> ApiTokenView:
    return ApiTokenView(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        scopes=_scopes(row["scopes"]),
        created_at=from_micros(row["created_at"]),
        expires_at=rows.instant(row["expires_at"]),
        last_used_at=rows.instant(row["last_used_at"]),
        revoked_at=rows.instant(row["revoked_at"]),
    )


def _scopes(text: str) -> tuple[str, ...]:
    return tuple(cast("list[str]", loads(text)))
