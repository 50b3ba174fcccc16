"""Reviews as a data set: what was proposed, what was said to it, and by whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from agent_console.domain.checkpoints import Checkpoint
from agent_console.domain.comments import Comment
from agent_console.domain.events import JournalEntry
from agent_console.domain.jobs import Json
from agent_console.domain.payload import canonical
from agent_console.domain.presence import Viewer
from agent_console.domain.redaction import REDACTED, names_secret, redact

EXPORTED: Final = "review.exported"
MAX_DIFFERENCES = 500  # fields of one edit that are named
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportQuery:
    """Reviews that were asked for from ``since`` to before ``until``, and are over."""

    since: datetime | None = None
    until: datetime | None = None
    job_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A review that is over. ``entries`` are what the journal says of its ends, oldest first."""

    checkpoint: Checkpoint
    task_description: str
    risk: str | None
    views: Sequence[Viewer]
    comments: Sequence[Comment]
    entries: Sequence[JournalEntry]


def record(one: Reviewed) -> dict[str, Any]:
    """Return ``one`` as a JSON object, without secrets; instants are ISO 8601 in UTC."""
    point = one.checkpoint
    edited = point.edited_data is not None
    document: dict[str, Any] = {
        "id": point.id,
        "jobId": point.job_id,
        "jobType": point.job_type,
        "taskDescription": one.task_description,
        "requestedBy": point.requested_by,
        "requestedByName": point.requested_by_name,
        "message": point.message,
        "action": point.action,
        "data": point.data,
        "changes": point.changes,
        "findings": point.findings,
        "risk": one.risk,
        "metadata": point.metadata,
        "payloadDigest": point.payload_digest,
        "round": point.round,
        "rounds": point.rounds,
        "previousId": point.previous_id,
        "forkedFrom": point.forked_from,
        "createdAt": _iso(point.created_at),
        "expiresAt": _iso(point.expires_at),
        "firstSeenAt": _iso(min((view.first_seen for view in one.views), default=None)),
        "decidedAt": _iso(point.decided_at),
        "verdict": point.status.value,
        "editedData": point.edited_data,
        "reason": point.rejection_reason,
        "feedback": point.feedback,
        "response": point.response,
        "answerSchema": point.answer_schema,
        "answerDefault": point.answer_default,
        **_by(one),
        "views": [_view(view) for view in one.views],
        "comments": [_comment(comment) for comment in one.comments],
    }
    clean: dict[str, Any] = redact(document)  # type: ignore[assignment]  # of an object, an object
    # Compared before secrets are taken out: two of them would look the same.
    clean["fieldDiff"] = field_diff(point.data, point.edited_data) if edited else None
    return clean


def line(one: Reviewed) -> str:
    """Return ``one`` as a line of JSON."""
    return canonical(record(one)) + "\n"


def field_diff(before: Json, after: Json) -> list[dict[str, Json]]:
    """Return what ``after`` has otherwise than ``before``, field by field, without secrets.

    Each is ``{"path", "before", "after"}``, the path a JSON Pointer (RFC 6901); where there was
    nothing, or is nothing any more, that member is missing. Lists of another length differ whole.
    """
    found: list[dict[str, Json]] = []
    for path, change in _differences(before, after, ()):
        secret = any(isinstance(part, str) and names_secret(part) for part in path)
        clean: dict[str, Any] = {
            name: REDACTED if secret else redact(value) for name, value in change.items()
        }
        found.append({"path": "".join(f"/{_escaped(part)}" for part in path), **clean})
        if len(found) == MAX_DIFFERENCES:
            break
    return found


def _differences(before: Json, after: Json, path: Path) -> Iterator[tuple[Path, dict[str, Json]]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            if name not in after:
                yield (*path, name), {"before": before[name]}
            elif name not in before:
                yield (*path, name), {"after": after[name]}
            else:
                yield from _differences(before[name], after[name], (*path, name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(old, new, (*path, index))
    elif canonical(before) != canonical(after):
        yield path, {"before": before, "after": after}


def _escaped(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _by(one: Reviewed) -> dict[str, Any]:
    """Return who decided, under which policy, and how it came to that."""
    point, last = one.checkpoint, one.entries[-1] if one.entries else None
    decided = point.decided_at is not None
    facts: Mapping[str, Json] = {} if last is None or not decided else last.data
    return {
        "decidedBy": point.decided_by,
        "decidedByName": point.decided_by_name,
        "decidedByKind": last.actor_kind if last is not None and decided else None,
        "selfApproval": facts.get("selfApproval") is True,
        "policy": _by_itself(facts),
        "history": [
            {
                "at": _iso(entry.at),
                "action": entry.action,
                "by": entry.actor_id,
                "byName": entry.actor_name,
                "facts": entry.data,
            }
            for entry in one.entries
        ],
    }


def _by_itself(facts: Mapping[str, Json]) -> dict[str, Any] | None:
    """Return the strategy, or the review policy's version, that approved; None: people did."""
    if "strategy" in facts:
        return {"strategy": facts["strategy"]}
    return {"reviewPolicy": facts.get("policy")} if "automaticUpTo" in facts else None


def _view(view: Viewer) -> dict[str, Any]:
    return {
        "userId": view.user_id,
        "userName": view.user_name,
        "firstSeen": _iso(view.first_seen),
        "lastSeen": _iso(view.last_seen),
    }


def _comment(comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.id,
        "authorId": comment.author_id,
        "authorName": comment.author_name,
        "body": comment.body,
        "mentions": list(comment.mentions),
        "createdAt": _iso(comment.created_at),
        "editedAt": _iso(comment.edited_at),
        "deletedAt": _iso(comment.deleted_at),
        "anchor": None if comment.anchor is None else asdict(comment.anchor),
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
