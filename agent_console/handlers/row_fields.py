"""Which fields an instruction reads, and which of them no row has: typos found before any work."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from agent_console.handlers.row_operations import Row
from agent_console.handlers.row_specs import (
    Aggregate,
    AnySpec,
    Arithmetic,
    Convert,
    Deduplicate,
    Filter,
    Join,
    Operand,
    Pick,
    Put,
    Rename,
    Round,
    Sort,
    Step,
    Text,
    Transform,
)

Where = tuple[str | int, ...]


def missing_fields(spec: AnySpec, rows: Sequence[Row]) -> list[tuple[Where, str]]:
    """Return the place in the instruction and the problem of every field that no row has."""
    known = {name for row in rows for name in row}
    if isinstance(spec, Transform):
        reads: Iterator[tuple[Where, str, set[str]]] = _transform_reads(spec, known)
    else:
        reads = ((where, name, known) for where, name in _reads(spec))
    return [(where, _unknown(name, at)) for where, name, at in reads if name not in at]


def _reads(spec: AnySpec) -> Iterator[tuple[Where, str]]:
    match spec:
        case Filter():
            for i, condition in enumerate(spec.where):
                if condition.op != "exists":
                    yield ("where", i, "field"), condition.field
        case Aggregate():
            yield from ((("groupBy", i), name) for i, name in enumerate(spec.group_by))
            for i, metric in enumerate(spec.metrics):
                if metric.field is not None:
                    yield ("metrics", i, "field"), metric.field
        case Sort():
            yield from ((("by", i, "field"), key.field) for i, key in enumerate(spec.by))
        case Deduplicate():
            yield from ((("fields", i), name) for i, name in enumerate(spec.fields))


def _transform_reads(spec: Transform, known: set[str]) -> Iterator[tuple[Where, str, set[str]]]:
    """Follow the fields through the steps: what one makes, the next may read."""
    for i, step in enumerate(spec.steps):
        for where, name in _step_reads(step):
            yield ("steps", i, *where), name, known
        match step:
            case Rename():
                known = {step.to if name == step.field else name for name in known}
            case Pick():
                known = known & set(step.fields) if step.op == "keep" else known - set(step.fields)
            case Put():
                known = known | {step.field}
            case Arithmetic():
                known = known | {step.into or step.field}
            case Join():
                known = known | {step.into}


def _step_reads(step: Step) -> Iterator[tuple[Where, str]]:
    match step:
        case Rename() | Round() | Convert():
            yield ("field",), step.field
        case Arithmetic():
            yield ("field",), step.field
            if isinstance(step.by, Operand):
                yield ("by", "field"), step.by.field
        case Pick() | Text() | Join():
            yield from ((("fields", i), name) for i, name in enumerate(step.fields))
        case Put():
            return


def _unknown(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f" (fields: {', '.join(sorted(known)[:10])})"
    return f"no row has the field {name!r}{hint}"
