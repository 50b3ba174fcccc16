"""``data-processing``: two reviews, of the plan and of the result, before anything is published."""

from __future__ import annotations

import json

from pydantic import (
    Field,
    JsonValue,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from agent_console import Invalid, JobContext, Json, RetryPolicy, RowsChange, TooLarge, handler
from agent_console.handlers.inputs import Input
from agent_console.handlers.row_fields import missing_fields
from agent_console.handlers.row_operations import BadCell, Out, Row, apply
from agent_console.handlers.row_specs import AnySpec, Operation, parse_spec
from agent_console.handlers.row_words import describe

MAX_ROWS = 10_000
SAMPLE = 50  # rows before that a reviewer is shown, with what became of them
_VALUE = "value"  # the field of rows that are not objects


class DataProcessing(Input):
    """Rows, and what to do with them."""

    operation: Operation = Field(
        title="Operation", description="What is done with the rows.", examples=["filter"]
    )
    data: list[JsonValue] = Field(
        min_length=1,
        max_length=MAX_ROWS,
        title="Rows",
        description="Objects with one value per field; plain values count as {value: …}.",
    )
    transform: dict[str, JsonValue] | list[JsonValue] | str | None = Field(
        default=None,
        title="Transform",
        description=(
            'An object, or in short a text in quotes: filter "amount >= 100", transform '
            '"uppercase", aggregate "sum(amount) by region", sort "-amount, name", '
            'deduplicate "email".'
        ),
        validate_default=True,
    )

    @field_validator("transform")
    @classmethod
    def _spelled_out(cls, raw: JsonValue, info: ValidationInfo) -> JsonValue:
        """Bind defaults, so that what is stored and shown is the whole instruction."""
        operation = info.data.get("operation")
        if operation is None:  # refused already; nothing can be said about its instruction
            return raw
        spec = parse_spec(operation, raw)
        return spec.model_dump(mode="json", by_alias=True)

    @model_validator(mode="after")
    def _fields_exist(self) -> DataProcessing:
        problems = missing_fields(self.spec(), self.rows())
        if problems:
            details = [
                InitErrorDetails(
                    type=PydanticCustomError("no_such_field", "{text}", {"text": text}),
                    loc=("transform", *where),
                    input=None,
                )
                for where, text in problems
            ]
            raise ValidationError.from_exception_data("transform", details)
        return self

    def spec(self) -> AnySpec:
        """Return the instruction."""
        return parse_spec(self.operation, self.transform)

    def rows(self) -> list[Row]:
        """Return the rows as objects."""
        return [row if isinstance(row, dict) else {_VALUE: row} for row in self.data]


@handler(
    "data-processing",
    input=DataProcessing,
    version="1",
    title="Data processing",
    description=(
        "Filters, transforms, aggregates, sorts or deduplicates rows. "
        "Asks before it starts and again before the result is published."
    ),
    retry=RetryPolicy(never=(Invalid, TooLarge)),
    examples=[
        {
            "operation": "transform",
            "data": [
                {"name": " ada ", "price": 12.5, "quantity": 3},
                {"name": "grace", "price": 8, "quantity": 10},
                {"name": "linus", "price": 99.99, "quantity": 1},
            ],
            "transform": {
                "steps": [
                    {"op": "trim", "fields": ["name"]},
                    {"op": "titlecase", "fields": ["name"]},
                    {
                        "op": "multiply",
                        "field": "price",
                        "by": {"field": "quantity"},
                        "into": "total",
                    },
                ]
            },
        },
        {
            "operation": "filter",
            "data": [
                {"region": "north", "amount": 120},
                {"region": "south", "amount": 80},
                {"region": "north", "amount": 300},
            ],
            "transform": {"where": [{"field": "amount", "op": "gte", "value": 100}]},
        },
        {
            "operation": "aggregate",
            "data": [
                {"region": "north", "amount": 120},
                {"region": "south", "amount": 80},
                {"region": "north", "amount": 300},
            ],
            "transform": "sum(amount), count() by region",
        },
    ],
)
def data_processing(ctx: JobContext) -> dict[str, Json]:
    """Try, ask, process, show before and after, ask again, publish."""
    request: DataProcessing = ctx.input
    sentence = describe(request.spec())
    plan = ctx.step("try the operation", try_out, request)
    ctx.info(f"Checked {_count(plan['rowsIn'])}: {sentence} is possible", {**plan})
    ctx.progress(0.2, "Waiting for the plan to be approved")
    ctx.approve(
        f"Process {_count(plan['rowsIn'])}?",
        action=f"{sentence}: {_count(plan['rowsIn'])} in, {plan['rowsOut']:,} out",
        data={
            "operation": request.operation,
            "transform": request.transform,
            "plan": {**plan},
            "sample": request.data[:10],
        },
    )
    result = ctx.step("process the rows", process, request)
    ctx.info(f"Processed {_count(plan['rowsIn'])}", {**plan})
    ctx.progress(0.7, "Waiting for the result to be approved")
    before, after = sample(request)
    ctx.approve(
        f"Publish the result, {_count(len(result))}?",
        action=f"Publish {_count(len(result))} as result.json",
        data={"rowsIn": plan["rowsIn"], "rowsOut": len(result)},
        changes=[RowsChange(sentence, before, after, plan["rowsIn"], len(result))],
    )
    artifact = ctx.artifact(
        "result.json",
        json.dumps(result, ensure_ascii=False, indent=2) + "\n",
        media_type="application/json",
        metadata={"operation": request.operation, "rows": len(result)},
    )
    ctx.info(f"Published result.json with {_count(len(result))}", {"artifactId": artifact})
    ctx.progress(1.0, "Published")
    return {"operation": request.operation, **plan, "artifactId": artifact}


def try_out(request: DataProcessing) -> dict[str, int]:
    """Run the operation and return only how many rows go in, come out and change.

    Raises:
        Invalid: a cell does not allow it; named as ``inputData.data.3.amount``.
    """
    rows = request.rows()
    outs = run(request)
    return {
        "rowsIn": len(rows),
        "rowsOut": len(outs),
        "rowsChanged": sum(out.origin is None or out.row != rows[out.origin] for out in outs),
    }


def process(request: DataProcessing) -> list[JsonValue]:
    """Return the resulting rows; plain values come back plain where they still are."""
    plain = not any(isinstance(row, dict) for row in request.data)
    return [_unwrapped(out.row, plain=plain) for out in run(request)]


def run(request: DataProcessing) -> list[Out]:
    """Apply the instruction to the rows.

    Raises:
        Invalid: a cell does not allow it; named as ``inputData.data.3.amount``.
    """
    try:
        return apply(request.spec(), request.rows())
    except BadCell as bad:
        raise Invalid.field(f"inputData.data.{bad.row}.{bad.field}", bad.problem) from None


def sample(request: DataProcessing) -> tuple[list[JsonValue], list[JsonValue]]:
    """Return rows before and exactly what became of them, those that change first chosen."""
    rows, outs = request.rows(), run(request)
    if any(out.origin is None for out in outs):
        return list(request.data[:SAMPLE]), [out.row for out in outs[:SAMPLE]]
    kept = {out.origin: out.row for out in outs if out.origin is not None}
    touched = [i for i, row in enumerate(rows) if kept.get(i) != row]
    rest = [i for i, row in enumerate(rows) if kept.get(i) == row]
    chosen = set((touched + rest)[:SAMPLE])
    plain = not any(isinstance(row, dict) for row in request.data)
    after = [_unwrapped(out.row, plain=plain) for out in outs if out.origin in chosen]
    return [request.data[i] for i in sorted(chosen)], after


def _unwrapped(row: Row, *, plain: bool) -> JsonValue:
    return row[_VALUE] if plain and row.keys() == {_VALUE} else row


def _count(rows: int) -> str:
    return f"{rows:,} {'row' if rows == 1 else 'rows'}"
