"""What the address of each list page may say: parsed, bounded, and written back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from agent_console.domain.checkpoints import CheckpointStatus, CheckpointType
from agent_console.domain.jobs import JobStatus
from agent_console.domain.records import ArtifactType
from agent_console.domain.sessions import SessionStatus

PAGE_SIZE = 25  # rows on a page
MAX_TEXT = 200  # characters of a search
MAX_CURSOR = 512  # characters of a cursor; the store checks what it means
_TERM = re.compile(r"(type|status|user|id):(\S+)", re.IGNORECASE)


def choice(query: Mapping[str, str], name: str, allowed: Iterable[str], default: str) -> str:
    """Return the value of ``name`` if it is one of ``allowed`` (any case), else ``default``."""
    value = query.get(name, "").upper()
    return next((one for one in allowed if one.upper() == value), default)


def text(query: Mapping[str, str], name: str, limit: int = MAX_TEXT) -> str:
    """Return the value of ``name``, trimmed and cut to ``limit`` characters."""
    return query.get(name, "").strip()[:limit]


def address(path: str, values: Mapping[str, str]) -> str:
    """Return ``path`` with the non-empty ``values`` as its query."""
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{path}?{query}" if query else path


def handover(project: str, session_id: str) -> str:
    """Return the address of the form of a session that uses the findings of this one."""
    return address("/agents", {"agent": "content", "project": project, "from": session_id})


def job_in(path: str) -> str:
    """Return the job's id in the address of its page; empty when it is another page's."""
    parts = [part for part in path.split("/") if part]
    return parts[1] if len(parts) > 1 and parts[0] == "jobs" else ""


@dataclass(frozen=True, slots=True)
class JobsParams:
    """The jobs list: a tab (``status``), a typed search (``q``) and a place in it (``cursor``)."""

    status: str = ""
    q: str = ""
    cursor: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> JobsParams:
        """Read a query; what is unknown falls back to its default."""
        return cls(
            status=choice(query, "status", JobStatus, ""),
            q=text(query, "q"),
            cursor=text(query, "cursor", MAX_CURSOR),
        )

    def url(self, **changes: str) -> str:
        """Return the address of this list with ``changes`` made to it."""
        new = replace(self, **changes)
        return address("/jobs", {"status": new.status, "q": new.q, "cursor": new.cursor})

    def terms(self) -> tuple[dict[str, str], str]:
        """Split the search into its typed terms (type, status, user, id) and free text."""
        typed = {key.lower(): value for key, value in _TERM.findall(self.q)}
        return typed, " ".join(_TERM.sub(" ", self.q).split())


@dataclass(frozen=True, slots=True)
class DeskParams:
    """The desk: which checkpoints (``status``, ``type``, ``job``, ``kind``, ``q``), from where."""

    status: str = CheckpointStatus.PENDING
    job_type: str = ""
    job: str = ""
    cursor: str = ""
    kind: str = ""
    q: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> DeskParams:
        """Read a query; what is unknown falls back to its default."""
        return cls(
            status=choice(query, "status", [*CheckpointStatus, "ALL"], CheckpointStatus.PENDING),
            job_type=text(query, "type", 100),
            job=text(query, "job", 100),
            cursor=text(query, "cursor", MAX_CURSOR),
            kind=choice(query, "kind", CheckpointType, ""),
            q=text(query, "q"),
        )

    def url(self, path: str = "/admin/agent-checkpoints", **changes: str) -> str:
        """Return the address of this list with ``changes`` made to it."""
        new = replace(self, **changes)
        status = "" if new.status == CheckpointStatus.PENDING else new.status
        values = {"status": status, "type": new.job_type, "job": new.job, "kind": new.kind}
        return address(path, values | {"q": new.q, "cursor": new.cursor})


@dataclass(frozen=True, slots=True)
class ArtifactsParams:
    """The artifacts: a tab (``kind``), one job's (``job``), a search (``q``) and a place in it."""

    kind: str = ""
    job: str = ""
    q: str = ""
    cursor: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> ArtifactsParams:
        """Read a query; what is unknown falls back to its default."""
        return cls(
            kind=choice(query, "type", ArtifactType, ""),
            job=text(query, "job", 100),
            q=text(query, "q"),
            cursor=text(query, "cursor", MAX_CURSOR),
        )

    def url(self, **changes: str) -> str:
        """Return the address of this list with ``changes`` made to it."""
        new = replace(self, **changes)
        values = {"type": new.kind, "job": new.job, "q": new.q, "cursor": new.cursor}
        return address("/artifacts", values)


@dataclass(frozen=True, slots=True)
class SessionsParams:
    """The sessions of a ``project``: a tab (``status``), one ``agent``'s, a place (``cursor``)."""

    project: str = ""
    status: str = ""
    agent: str = ""
    cursor: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> SessionsParams:
        """Read a query; what is unknown falls back to its default."""
        return cls(
            project=text(query, "project"),
            status=choice(query, "status", SessionStatus, ""),
            agent=text(query, "agent", 100),
            cursor=text(query, "cursor", MAX_CURSOR),
        )

    def url(self, **changes: str) -> str:
        """Return the address of this list with ``changes`` made to it."""
        new = replace(self, **changes)
        names = ("project", "status", "agent", "cursor")
        return address("/sessions", {name: getattr(new, name) for name in names})


@dataclass(frozen=True, slots=True)
class DocumentsParams:
    """The context documents: kept or archived (``shelf``), a search (``q``), a place in them."""

    shelf: str = ""
    q: str = ""
    cursor: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> DocumentsParams:
        """Read a query; what is unknown falls back to its default."""
        return cls(
            shelf=choice(query, "shelf", ["archived"], ""),
            q=text(query, "q"),
            cursor=text(query, "cursor", MAX_CURSOR),
        )

    def url(self, **changes: str) -> str:
        """Return the address of this list with ``changes`` made to it."""
        new = replace(self, **changes)
        return address("/context", {"shelf": new.shelf, "q": new.q, "cursor": new.cursor})
