"""Who may do what: one table for every door, and the actor that passes through it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from agent_console.domain.errors import Forbidden, Unauthenticated


class Role(StrEnum):
    """What an account is for."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    REVIEWER = "reviewer"
    ADMIN = "admin"


class Permission(StrEnum):
    """One thing that may be allowed; also the scopes of API tokens."""

    JOBS_READ = "jobs:read"
    JOBS_CREATE = "jobs:create"
    JOBS_CONTROL = "jobs:control"
    CHECKPOINTS_READ = "checkpoints:read"
    CHECKPOINTS_COMMENT = "checkpoints:comment"
    CHECKPOINTS_DECIDE = "checkpoints:decide"
    WORKERS_READ = "workers:read"
    WORKERS_CONTROL = "workers:control"
    ARTIFACTS_READ = "artifacts:read"
    CONTEXT_READ = "context:read"
    CONTEXT_WRITE = "context:write"
    CHAT_USE = "chat:use"
    AUDIT_READ = "audit:read"
    METRICS_READ = "metrics:read"
    TOKENS_OWN = "tokens:own"
    NOTIFICATIONS_OWN = "notifications:own"
    NOTIFICATIONS_MANAGE = "notifications:manage"
    USERS_MANAGE = "users:manage"
    SECRETS_MANAGE = "secrets:manage"
    DATA_MANAGE = "data:manage"
    POLICIES_MANAGE = "policies:manage"


_READ = frozenset(
    {
        Permission.JOBS_READ,
        Permission.CHECKPOINTS_READ,
        Permission.WORKERS_READ,
        Permission.ARTIFACTS_READ,
        Permission.CONTEXT_READ,
        Permission.CHAT_USE,
        Permission.METRICS_READ,
        Permission.TOKENS_OWN,
        Permission.NOTIFICATIONS_OWN,
    }
)
ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.VIEWER: _READ,
        Role.OPERATOR: _READ
        | {
            Permission.JOBS_CREATE,
            Permission.JOBS_CONTROL,
            Permission.CHECKPOINTS_COMMENT,
            Permission.WORKERS_CONTROL,
            Permission.CONTEXT_WRITE,
        },
        Role.REVIEWER: _READ
        | {
            Permission.CHECKPOINTS_COMMENT,
            Permission.CHECKPOINTS_DECIDE,
            Permission.AUDIT_READ,
            Permission.CONTEXT_WRITE,
        },
        Role.ADMIN: frozenset(Permission),
    }
)

ActorKind = Literal["user", "token", "worker", "policy", "system", "cli", "anonymous"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody, or something, that acts. ``id`` is the account behind a session or token.

    ``session`` is the SHA-256 of the session or token id, for the journal; never the secret.
    """

    kind: ActorKind
    id: str | None = None
    name: str = ""
    role: Role | None = None
    permissions: frozenset[Permission] = frozenset()
    session: str | None = None
    ip: str | None = None

    @property
    def who(self) -> str:
        """Return what tells one actor from another: the account, or kind and name without one."""
        return self.id or f"{self.kind}:{self.name}"

    def may(self, permission: Permission) -> bool:
        """Say whether ``permission`` is granted."""
        return permission in self.permissions


ANONYMOUS = Actor(kind="anonymous", name="anonymous")
POLICY = "policy"  # who decided, where an account's id and a person's name would stand
BY_POLICY = Actor(kind="policy", id=POLICY, name=POLICY)
SYSTEM = Actor(kind="system", name="system", permissions=frozenset(Permission))


def local_operator(name: str) -> Actor:
    """Return the actor of a command typed on the server itself (it owns the database)."""
    return Actor(kind="cli", name=name, role=Role.ADMIN, permissions=frozenset(Permission))


def authorize(actor: Actor, permission: Permission) -> None:
    """Let ``actor`` pass, or raise.

    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: somebody is, and may not.
    """
    if actor.may(permission):
        return
    if actor.kind == "anonymous":
        raise Unauthenticated
    raise Forbidden(refusal(permission), requiredPermission=permission.value)


def refusal(permission: Permission) -> str:
    """Return the sentence that explains why ``permission`` is missing."""
    holders = [role.value for role in Role if permission in ROLE_PERMISSIONS[role]]
    return f"This needs the permission {permission.value} (role {' or '.join(holders)})."
