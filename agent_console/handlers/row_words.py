"""A ``data-processing`` instruction in words, computed from the instruction itself."""

from __future__ import annotations

import json

from agent_console.handlers.row_specs import (
    Aggregate,
    AnySpec,
    Arithmetic,
    Condition,
    Convert,
    Deduplicate,
    Filter,
    Join,
    Metric,
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

_SIGNS = {"eq": "=", "ne": "≠", "lt": "<", "lte": "≤", "gt": ">", "gte": "≥"}
_ARITHMETIC = {"add": "+", "subtract": "−", "multiply": "×", "divide": "÷"}
_LONGEST = 300  # characters; an action is read at a glance


def describe(spec: AnySpec) -> str:
    """Return one sentence such as ``Keep rows where amount ≥ 100``."""
    text = _sentence(spec)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _sentence(spec: AnySpec) -> str:
    match spec:
        case Filter():
            joint = " and " if spec.match == "all" else " or "
            return f"Keep rows where {joint.join(map(_condition, spec.where))}"
        case Transform():
            return f"Change every row: {'; '.join(map(_step, spec.steps))}"
        case Aggregate():
            groups = f" for each {', '.join(spec.group_by)}" if spec.group_by else " of all rows"
            return f"Compute {', '.join(map(_metric, spec.metrics))}{groups}"
        case Sort():
            keys = [f"{key.field}{' descending' if key.descending else ''}" for key in spec.by]
            return f"Sort by {', '.join(keys)}"
        case Deduplicate():
            what = f"the same {', '.join(spec.fields)}" if spec.fields else "the same content"
            return f"Keep the {spec.keep} of rows with {what}"


def _condition(condition: Condition) -> str:
    if condition.op == "exists":
        return f"{condition.field} is {'missing' if condition.value is False else 'present'}"
    sign = _SIGNS.get(condition.op, condition.op.replace("_", " "))
    return f"{condition.field} {sign} {json.dumps(condition.value, ensure_ascii=False)}"


def _metric(metric: Metric) -> str:
    return f"{metric.fn}({metric.field or ''}) as {metric.column}"


def _step(step: Step) -> str:
    match step:
        case Rename():
            return f"rename {step.field} to {step.to}"
        case Pick():
            return f"{step.op} {', '.join(step.fields)}"
        case Put():
            value = json.dumps(step.value, ensure_ascii=False)
            missing = " where it is missing" if step.op == "default" else ""
            return f"set {step.field} to {value}{missing}"
        case Text():
            return f"{step.op} {', '.join(step.fields) or 'all texts'}"
        case Arithmetic():
            by = step.by.field if isinstance(step.by, Operand) else str(step.by)
            return f"{step.into or step.field} = {step.field} {_ARITHMETIC[step.op]} {by}"
        case Round():
            return f"round {step.field} to {step.digits} digits"
        case Convert():
            return f"convert {step.field} to {step.to}"
        case Join():
            return f"{step.into} = {' + '.join(step.fields)}"
