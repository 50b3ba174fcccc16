"""Statements that PostgreSQL plans once per connection and not each time they are sent.

Planning a claim or an insert costs several times what running it does. A plan is made without the
values and kept for some seconds: long enough to be worth it, short enough to follow a table that
grows. It is made as if there were no other way than by index, which is right at every size; what
would be wrong without its values, a ``LIMIT`` or the term of a partial index, is written out.

Through a pooler that hands every transaction another server connection the plans of one are
missing in the next. The first transaction that meets this is tried again, and all others from
then on, without any.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any, Final

import psycopg2

KEPT: Final = "/*kept*/"  # in the text of a statement with names: its plan is to be kept
LIFE = 20.0  # seconds
MOST = 100  # plans of one connection; their memory is the server's
# What a connection needs that keeps plans: without values from the first, and quick to be made.
OPTIONS: Final = "-c plan_cache_mode=force_generic_plan -c jit=off"
# No such plan, another one of that name: not the server connection of a moment ago.
_STRANGE: Final = frozenset({"26000", "42P05"})
_PARAM = re.compile(r"%\((\w+)\)s|%(s)|%%")
_numbers = count(1)

Values = Sequence[object] | Mapping[str, object]
Part = tuple[str, Values]


@dataclass(frozen=True, slots=True)
class _Form:
    """A statement with ``$1`` for its parameters; ``names`` are theirs, None where in order."""

    text: str
    names: tuple[str, ...] | None
    size: int


class Preparing:
    """Whether a database keeps plans, and those of each of its connections."""

    def __init__(self) -> None:
        """Keep plans, until one is missing."""
        self.on = True

    def of(self, connection: Any) -> Plans | None:
        """Return the plans of a pooled ``connection``; None when none are kept."""
        if not self.on:
            return None
        found: Plans = connection.info.setdefault("plans", Plans(self))
        return found


class Plans:
    """The plans that one connection keeps, by the text of their statements."""

    def __init__(self, owner: Preparing) -> None:
        """Begin without any; ``owner`` is told when they turn out not to stay."""
        self._owner = owner
        self._known: dict[str, tuple[str, float]] = {}  # name, and when it was planned
        self._drop_all = False

    def run(self, cursor: Any, parts: Sequence[Part], last: Sequence[str] = ()) -> None:
        """Run statements in the driver's form in one round trip; the answer is the last one's.

        Those of ``last`` go along as they are.
        """
        text, params = self._composed(parts)
        text = ";".join([*filter(None, [text]), *last])
        try:
            cursor.execute(text if params else text.replace("%%", "%"), params)
        except psycopg2.Error as error:
            # What of the text was done is not known; the plans of one before may be out of date.
            self._known.clear()
            self._drop_all = True
            self._owner.on = self._owner.on and error.pgcode not in _STRANGE
            raise
        self._drop_all = False

    def _composed(self, parts: Sequence[Part]) -> tuple[str, list[object]]:
        if len(self._known) >= MOST:
            self._known.clear()
            self._drop_all = True
        before = ["DEALLOCATE ALL"] if self._drop_all else []
        calls: list[str] = []
        given: list[object] = []
        for text, values in parts:
            form = _form(text)
            calls.append(_call(self._name(text, form, before), form.size))
            given += _ordered(form, values)
        return ";".join([*before, *calls]), given

    def _name(self, text: str, form: _Form, before: list[str]) -> str:
        """Return the name of the plan of ``text``; what makes one is added to ``before``."""
        name, made = self._known.get(text, ("", 0.0))
        now = time.monotonic()
        if name and now - made < LIFE:
            return name
        if name:
            before.append(f"DEALLOCATE {name}")
        name = f"kept_{next(_numbers)}"
        before += ["SET LOCAL enable_seqscan = off", f"PREPARE {name} AS {form.text}"]
        self._known[text] = (name, now)
        return name


def _call(name: str, size: int) -> str:
    return f"EXECUTE {name}({','.join(['%s'] * size)})" if size else f"EXECUTE {name}"


def _ordered(form: _Form, values: Values) -> Iterator[object]:
    if isinstance(values, Mapping):
        return (values[name] for name in form.names or ())
    return iter(values)


@lru_cache(maxsize=1024)
def _form(text: str) -> _Form:
    """Return the statement of the driver's ``text``; a sign of percent stays doubled."""
    names: list[str] = []
    size = 0

    def mark(found: re.Match[str]) -> str:
        nonlocal size
        if found[0] == "%%":
            return found[0]
        if found[1] is None:
            size += 1
            return f"${size}"
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    numbered = _PARAM.sub(mark, text)
    return _Form(numbered, tuple(names) if names else None, len(names) or size)
