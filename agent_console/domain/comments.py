"""Comments on a checkpoint: what people say to each other, and to the handler that goes on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from agent_console.domain.anchors import Anchor
from agent_console.domain.errors import Conflict
from agent_console.domain.queries import Paging

MAX_COMMENT = 4_000  # characters
MAX_THREAD = 500  # comments on one checkpoint
MAX_MENTIONS = 20  # accounts in one comment
_AT = re.compile(r"(?<![\w.@+-])@(?=\S)")
_WORD_END = re.compile(r"\w")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment. ``body`` is plain text, "" once it is deleted: what is left says who and when.

    ``author_id`` is the account, or what stands for one; ``mentions`` are ids of accounts;
    ``anchor`` is the line of the payload that it is about, None where it is about all of it.
    """

    id: str
    checkpoint_id: str
    author_id: str
    author_name: str
    body: str
    mentions: tuple[str, ...]
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    anchor: Anchor | None = None


@dataclass(frozen=True, slots=True)
class LineComment:
    """A comment on a line, of ``round``; ``line`` is where that stands now, None: nowhere."""

    comment: Comment
    round: int
    line: int | None


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment as a handler gets it: made before the decision, the same in every run.

    ``anchor`` is the line of what was proposed that it is about, None where it is about all of it.
    """

    author: str
    text: str
    at: datetime
    anchor: Anchor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentQuery(Paging):
    """Comments in the order in which they were made: the latest page; its cursor goes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentionable:
    """An account as it can be mentioned: ``@`` and its name or address, in any case of letters."""

    id: str
    name: str
    email: str


def mentioned(body: str, accounts: Iterable[Mentionable]) -> tuple[str, ...]:
    """Return the ids of the accounts that ``body`` mentions, in the order of the first mention.

    The longest name that fits counts; several accounts of that name are all meant.
    """
    named: dict[str, list[str]] = {}
    for account in accounts:
        for word in {account.name.casefold(), account.email.casefold()} - {""}:
            named.setdefault(word, []).append(account.id)
    folded = body.casefold()
    longest = sorted(named, key=len, reverse=True)
    found: dict[str, None] = {}
    for start in _starts(folded):
        word = next((one for one in longest if _stands_at(folded, start, one)), "")
        found.update(dict.fromkeys(named.get(word, ())))
    return tuple(found)[:MAX_MENTIONS]


def _starts(folded: str) -> Iterator[int]:
    return (match.end() for match in _AT.finditer(folded))


def _stands_at(text: str, start: int, word: str) -> bool:
    end = start + len(word)
    return text.startswith(word, start) and not _WORD_END.match(text, end)


def settled(comment: Comment, decided_at: datetime | None) -> Conflict | None:
    """Return why a comment cannot be changed any more: the handler got it with the decision."""
    if decided_at is None or comment.created_at >= decided_at:
        return None
    return Conflict(
        "The checkpoint was decided with this comment on it, and its handler has it: it stays."
    )
