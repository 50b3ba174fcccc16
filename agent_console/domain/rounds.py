"""Rounds of one proposal: which belong together, and what differs from one to the next."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from agent_console.domain.changes import FileChange, TextChange
from agent_console.domain.checkpoints import Checkpoint, Round
from agent_console.domain.jobs import Json

DATA = "data"  # under which name a difference of the data is shown
_STEP = "  "


def chain_of(all_rounds: Sequence[tuple[Round, str | None]], checkpoint_id: str) -> list[Round]:
    """Return the chain that ``checkpoint_id`` is part of, oldest first; [] when it is alone.

    ``all_rounds`` are a job's rounds, oldest first, each with the id of the one before it.
    """
    chains: list[list[Round]] = []
    for one, previous in all_rounds:
        chain = next((each for each in chains if each[-1].id == previous), None)
        if chain is None:
            chains.append([one])
        else:
            chain.append(one)
    mine = next((each for each in chains if any(r.id == checkpoint_id for r in each)), [])
    return mine if len(mine) > 1 else []


def difference(before: Checkpoint, now: Checkpoint) -> list[dict[str, Json]]:
    """Return what ``now`` proposes otherwise than ``before``, in the form of ``changes``.

    First the data, as lines of text; then each file or other text whose proposed wording is
    another one. What is no longer proposed has no text now, what is new had none before.
    """
    found: list[dict[str, Json]] = []
    if before.data != now.data:
        found.append(FileChange(DATA, outline(before.data), outline(now.data)).to_json())
    for kind, name, made in (("file", "path", FileChange), ("text", "title", TextChange)):
        old, new = (_proposed(one.changes, kind, name) for one in (before, now))
        names = [*old, *(one for one in new if one not in old)]
        found.extend(
            made(one, old.get(one), new.get(one)).to_json()
            for one in names
            if old.get(one) != new.get(one)
        )
    return found


def _proposed(changes: Sequence[Mapping[str, Json]], kind: str, name: str) -> dict[str, str]:
    """Return the texts that changes of one kind end with, by what they are called."""
    texts = {}
    for change in changes:
        called, after = change.get(name), change.get("after")
        if change.get("kind") == kind and isinstance(called, str) and isinstance(after, str):
            texts[called] = after
    return texts


def outline(value: Json) -> str:
    """Return a JSON document as lines that compare well: texts are broken at their own line ends.

    It is for reading and comparing, not for parsing.
    """
    return "\n".join(_lines(value, "", "")) + "\n"


def _lines(value: Json, label: str, indent: str) -> Iterator[str]:
    """Yield ``value`` behind ``label``: on the same line if it fits there, else indented below."""
    if isinstance(value, dict) and value:
        yield from _head(label, indent)
        for key, member in value.items():
            yield from _lines(member, f"{key}:", indent + _STEP if label else indent)
    elif isinstance(value, list) and value:
        yield from _head(label, indent)
        for item in value:
            yield from _lines(item, "-", indent + _STEP if label else indent)
    elif isinstance(value, str) and "\n" in value:
        yield from _head(label, indent)
        yield from (indent + _STEP + line for line in value.split("\n"))
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield f"{indent}{label} {text}".rstrip() if label else f"{indent}{text}"


def _head(label: str, indent: str) -> Iterator[str]:
    if label:
        yield indent + label
