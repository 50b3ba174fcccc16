"""Comments of checkpoints, written and read.

A comment and a decision take the checkpoint's row, so one is before the other: what was said before
a decision is what its handler gets, in every run. It stays as it is from then on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from agent_console.domain.access import Actor
from agent_console.domain.anchors import Anchor
from agent_console.domain.comments import MAX_THREAD, Comment, CommentQuery, Mentionable, settled
from agent_console.domain.errors import Conflict, Forbidden, NotFound
from agent_console.domain.events import Event
from agent_console.domain.jobs import Json
from agent_console.domain.payload import digest, dumps
from agent_console.domain.records import Page
from agent_console.store import rows
from agent_console.store.cursors import decode, encode
from agent_console.store.dialects import ids_param
from agent_console.store.ids import new_id
from agent_console.store.reads.paging import make_page
from agent_console.store.transactions import Params, Queries, Tx

COMMENTED: Final = "checkpoint.commented"
EDITED: Final = "checkpoint.comment_edited"
DELETED: Final = "checkpoint.comment_deleted"
MAX_ACCOUNTS = 10_000  # that can be mentioned

_OF = """
SELECT c.approved_at, j.id AS job_id, j.job_type FROM agent_checkpoints c
JOIN ai_jobs j ON j.id = c.job_id WHERE c.id = :id
"""
_LOCK = "SELECT id FROM agent_checkpoints WHERE id = :id {for_share}"
_COUNT = "SELECT count(*) FROM checkpoint_comments WHERE checkpoint_id = :id"
_INSERT = """
INSERT INTO checkpoint_comments (id, checkpoint_id, author_id, author_name, body, mentions,
  created_at, anchor_path, anchor_side, anchor_line, anchor_text)
VALUES (:comment_id, :id, :author_id, :author_name, :body, :mentions, {now},
  :path, :side, :line, :text)
RETURNING *
"""
_EDIT = """
UPDATE checkpoint_comments SET body = :body, mentions = :mentions, edited_at = {now}
WHERE id = :comment_id RETURNING *
"""
_DELETE = """
UPDATE checkpoint_comments SET body = '', mentions = '[]', deleted_at = {now}
WHERE id = :comment_id RETURNING *
"""
_ONE = "SELECT * FROM checkpoint_comments WHERE id = :comment_id AND checkpoint_id = :id"
_PAGE = """
SELECT * FROM checkpoint_comments WHERE checkpoint_id = :id {before}
ORDER BY created_at DESC, id DESC LIMIT :limit OFFSET :offset
"""
_BEFORE = "AND (created_at, id) < (:created_at, :comment_id)"
_OF_MANY = """
SELECT * FROM checkpoint_comments WHERE checkpoint_id {among_ids}
ORDER BY checkpoint_id, created_at, id
"""
# What a handler gets: said before the decision, and still there.
_HANDED = """
SELECT m.* FROM checkpoint_comments m JOIN agent_checkpoints c ON c.id = m.checkpoint_id
WHERE c.job_id = :job_id AND c.position >= 0 AND m.deleted_at IS NULL
  AND m.created_at < c.approved_at ORDER BY m.created_at, m.id
"""
# Of a checkpoint and the rounds before it.
_ON_LINES = """
WITH RECURSIVE chain (id, round, previous_id) AS (
  SELECT id, round, previous_id FROM agent_checkpoints WHERE id = :id
  UNION SELECT c.id, c.round, c.previous_id
  FROM agent_checkpoints c JOIN chain ON c.id = chain.previous_id)
SELECT m.*, chain.round FROM chain JOIN checkpoint_comments m ON m.checkpoint_id = chain.id
WHERE m.anchor_path IS NOT NULL AND m.deleted_at IS NULL
ORDER BY chain.round, m.created_at, m.id
"""
_ACCOUNTS = "SELECT id, name, email FROM users WHERE disabled = 0 ORDER BY id LIMIT :limit"


@dataclass(frozen=True, slots=True)
class _On:
    """The checkpoint that a comment is on."""

    id: str
    job_id: str
    job_type: str
    decided_at: datetime | None


def accounts(reader: Queries) -> list[Mentionable]:
    """Return the accounts that can be mentioned."""
    found = reader.rows(_ACCOUNTS, {"limit": MAX_ACCOUNTS})
    return [Mentionable(id=one, name=name, email=email) for one, name, email in found]


def add(
    tx: Tx,
    checkpoint_id: str,
    body: str,
    mentions: tuple[str, ...],
    *,
    who: str,
    actor: Actor,
    anchor: Anchor | None = None,
) -> Comment:
    """Add a comment of ``who``, about the line ``anchor`` if any, at the end of the thread.

    Raises:
        NotFound: there is no such checkpoint.
        Conflict: the thread is full.
    """
    on = _locked(tx, checkpoint_id)
    count = tx.row(_COUNT, {"id": checkpoint_id})
    if count is not None and count[0] >= MAX_THREAD:
        raise Conflict(f"There are {MAX_THREAD} comments on this already; no more fit.")
    params: Params = {
        "id": checkpoint_id,
        "comment_id": new_id("cmt"),
        "author_id": who,
        "author_name": actor.name or actor.kind,
        "body": body,
        "mentions": dumps(list(mentions)),
        "path": anchor.path if anchor else None,
        "side": anchor.side if anchor else None,
        "line": anchor.line if anchor else None,
        "text": anchor.text if anchor else None,
    }
    made = rows.comment(tx.dicts(_INSERT, params)[0])
    said: dict[str, Json] = {"mentions": list(mentions), "digest": _digest(made)}
    if anchor is not None:
        said["anchor"] = {"path": anchor.path, "side": anchor.side, "line": anchor.line}
    tx.record(_event(COMMENTED, on, made, actor, said))
    return made


def edit(
    tx: Tx,
    checkpoint_id: str,
    comment_id: str,
    body: str,
    mentions: tuple[str, ...],
    *,
    who: str,
    actor: Actor,
) -> Comment:
    """Replace the text of a comment of ``who``; the journal names whom it mentions anew.

    Raises:
        NotFound: there is no such comment.
        Forbidden: it is somebody else's.
        Conflict: it is deleted, or the checkpoint was decided with it.
    """
    on, before = _own(tx, checkpoint_id, comment_id, who)
    if before.body == body:
        return before
    params: Params = {"comment_id": comment_id, "body": body, "mentions": dumps(list(mentions))}
    made = rows.comment(tx.dicts(_EDIT, params)[0])
    anew: list[Json] = [one for one in mentions if one not in before.mentions]
    digests: dict[str, Json] = {"digest": _digest(made), "before": _digest(before)}
    tx.record(_event(EDITED, on, made, actor, {"mentions": anew, **digests}))
    return made


def delete(tx: Tx, checkpoint_id: str, comment_id: str, *, who: str, actor: Actor) -> Comment:
    """Take the text of a comment of ``who`` away; that there was one stays.

    Raises:
        NotFound, Forbidden, Conflict: as ``edit``.
    """
    on, before = _own(tx, checkpoint_id, comment_id, who)
    made = rows.comment(tx.dicts(_DELETE, {"comment_id": comment_id})[0])
    tx.record(_event(DELETED, on, made, actor, {"before": _digest(before)}))
    return made


def page(reader: Queries, checkpoint_id: str, query: CommentQuery) -> Page[Comment]:
    """Return the latest comments in the order they were made, or those before the cursor."""
    params: Params = {"id": checkpoint_id, "limit": query.limit + 1, "offset": query.offset}
    before = ""
    if query.cursor:
        before = _BEFORE
        params["created_at"], params["comment_id"] = decode(query.cursor, int, str)
    found = make_page(
        reader.dicts(_PAGE.replace("{before}", before), params),
        query,
        rows.comment,
        key=lambda row: encode(row["created_at"], row["id"]),
        total=None,
    )
    return replace(found, items=list(reversed(found.items)))


def of_many(reader: Queries, checkpoint_ids: list[str]) -> dict[str, list[Comment]]:
    """Return the threads of checkpoints, each in its order."""
    return _grouped(rows_of(reader, checkpoint_ids))


def rows_of(reader: Queries, checkpoint_ids: list[str]) -> list[dict[str, Any]]:
    """Return the rows of the threads of checkpoints."""
    return reader.dicts(_OF_MANY, {"ids": ids_param(checkpoint_ids, reader.dialect)})


def on_lines(reader: Queries, checkpoint_id: str) -> list[tuple[Comment, int]]:
    """Return comments on lines of a checkpoint and the rounds before, in order, with the round."""
    found = reader.dicts(_ON_LINES, {"id": checkpoint_id})
    return [(rows.comment(row), row["round"]) for row in found]


def handed(reader: Queries, job_id: str) -> dict[str, list[Comment]]:
    """Return what was said before the decisions of a job, by checkpoint."""
    return _grouped(reader.dicts(_HANDED, {"job_id": job_id}))


def _grouped(found: list[dict[str, Any]]) -> dict[str, list[Comment]]:
    threads: dict[str, list[Comment]] = {}
    for row in found:
        threads.setdefault(row["checkpoint_id"], []).append(rows.comment(row))
    return threads


def _locked(tx: Tx, checkpoint_id: str) -> _On:
    # Two statements: what is read and the time that is written are of after the lock.
    tx.rows(_LOCK, {"id": checkpoint_id})
    found = tx.dicts(_OF, {"id": checkpoint_id})
    if not found:
        raise NotFound(f"There is no checkpoint {checkpoint_id}.")
    row = found[0]
    decided_at = rows.instant(row["approved_at"])
    return _On(checkpoint_id, row["job_id"], row["job_type"], decided_at)


def _own(tx: Tx, checkpoint_id: str, comment_id: str, who: str) -> tuple[_On, Comment]:
    on = _locked(tx, checkpoint_id)
    found = tx.dicts(_ONE, {"id": checkpoint_id, "comment_id": comment_id})
    if not found:
        raise NotFound(f"There is no comment {comment_id} on this checkpoint.")
    comment = rows.comment(found[0])
    if comment.author_id != who:
        raise Forbidden(f"{comment.author_name} wrote this; only they can change it.")
    if comment.deleted_at is not None:
        raise Conflict("The comment is deleted.")
    if (refusal := settled(comment, on.decided_at)) is not None:
        raise refusal
    return on, comment


def _digest(comment: Comment) -> str:
    return digest(comment.body)


def _event(action: str, on: _On, comment: Comment, actor: Actor, data: dict[str, Json]) -> Event:
    return Event(
        action=action,
        actor=actor,
        job_id=on.job_id,
        job_type=on.job_type,
        checkpoint_id=on.id,
        subject_id=comment.id,
        data=data,
    )
