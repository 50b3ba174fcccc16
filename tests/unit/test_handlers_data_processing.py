from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_console.domain.changes import RowsDiff, render
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointType
from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import JobStatus, Json
from agent_console.handlers.data_processing import (
    SAMPLE,
    DataProcessing,
    data_processing,
    process,
    run,
    sample,
)
from agent_console.handlers.row_operations import apply
from agent_console.handlers.row_specs import parse_spec
from agent_console.handlers.row_words import describe
from agent_console.testing import Bench

SALES: list[Json] = [
    {"region": "north", "amount": 120, "by": "ada"},
    {"region": "south", "amount": 80.5, "by": "grace"},
    {"region": "north", "amount": 300, "by": None},
    {"region": "west", "amount": None, "by": "ada"},
]


def _process(operation: str, transform: Any = None, data: list[Json] | None = None) -> list[Any]:
    request = DataProcessing.model_validate(
        {"operation": operation, "data": SALES if data is None else data, "transform": transform}
    )
    return process(request)


def _ids(operation: str, transform: Any) -> list[int]:
    data: list[Json] = [{**row, "id": n} for n, row in enumerate(SALES) if isinstance(row, dict)]
    return [row["id"] for row in _process(operation, transform, data)]


# --- the walk ------------------------------------------------------------------------------------


def _start(bench: Bench, **changed: Json) -> str:
    job_id = bench.enqueue(
        "data-processing",
        {"operation": "filter", "data": SALES, "transform": "amount >= 100", **changed},
    )
    bench.run()
    return job_id


def test_stops_for_the_plan_and_again_for_the_result(bench: Bench) -> None:
    job_id = _start(bench)
    plan = bench.pending(job_id)
    assert plan.action == "Keep rows where amount ≥ 100: 4 rows in, 2 out"
    assert bench.artifacts(job_id) == []

    bench.approve(job_id)
    bench.run()
    result = bench.pending(job_id)
    assert result.action == "Publish 2 rows as result.json"
    (table,) = render(result.changes)
    assert isinstance(table, RowsDiff)
    assert (table.title, table.total_before, table.total_after) == (
        "Keep rows where amount ≥ 100",
        4,
        2,
    )
    assert [row.status for row in table.rows] == ["same", "removed", "same", "removed"]
    assert bench.artifacts(job_id) == []

    bench.approve(job_id)
    bench.run()
    job: Any = bench.job(job_id)
    assert job.status is JobStatus.COMPLETED
    (artifact,) = bench.artifacts(job_id)
    assert (artifact.name, artifact.media_type) == ("result.json", "application/json")
    assert json.loads(artifact.content) == [SALES[0], SALES[2]]
    assert job.output_data == {
        "operation": "filter",
        "rowsIn": 4,
        "rowsOut": 2,
        "rowsChanged": 0,
        "artifactId": artifact.id,
    }
    kinds = [(c.checkpoint_type, c.status) for c in bench.checkpoints(job_id)]
    assert kinds.count((CheckpointType.APPROVAL_REQUIRED, CheckpointStatus.APPROVED)) == 2
    assert kinds.count((CheckpointType.INFO, CheckpointStatus.APPROVED)) == 3


@pytest.mark.parametrize("approvals", [0, 1])
def test_rejection_publishes_nothing(bench: Bench, approvals: int) -> None:
    job_id = _start(bench)
    for _ in range(approvals):
        bench.approve(job_id)
        bench.run()
    bench.reject(job_id, "wrong rows")
    bench.run()
    job = bench.job(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.message == "wrong rows"
    assert bench.artifacts(job_id) == []


def test_each_step_is_done_once(bench: Bench) -> None:
    job_id = _start(bench)
    for _ in range(2):
        bench.approve(job_id)
        bench.run()
    names = [name for kind, name in bench.steps(job_id) if kind == "step"]
    assert names == ["try the operation", "process the rows"]


def test_a_cell_that_does_not_fit_fails_before_anybody_is_asked(bench: Bench) -> None:
    job_id = _start(bench, operation="aggregate", transform="sum(by) by region")
    job = bench.job(job_id)
    assert (job.status, job.attempts) == (JobStatus.FAILED, 1)
    assert job.error is not None
    assert job.error.message == 'inputData.data.0.by: "ada" is not a number'
    assert bench.checkpoints(job_id) == []


def test_every_example_runs_to_its_end(bench: Bench) -> None:
    info = bench.registry.describe("data-processing")
    assert info is not None
    assert len(info.examples) == 3
    for example in info.examples:
        job_id = bench.enqueue("data-processing", example)
        for _ in range(2):
            bench.run()
            bench.approve(job_id)
        bench.run()
        assert bench.job(job_id).status is JobStatus.COMPLETED


def test_the_whole_instruction_is_shown_with_its_defaults(bench: Bench) -> None:
    data: Any = bench.pending(_start(bench)).data
    assert data["transform"] == {
        "where": [{"field": "amount", "op": "gte", "value": 100}],
        "match": "all",
    }


# --- the operations ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("amount >= 100", [0, 2]),
        ("amount < 100", [1]),
        ("region = north", [0, 2]),
        ("region != 'north'", [1, 3]),
        ([{"field": "by", "op": "in", "value": ["ada", "linus"]}], [0, 3]),
        ([{"field": "by", "op": "contains", "value": "ra"}], [1]),
        ([{"field": "region", "op": "starts_with", "value": "n"}], [0, 2]),
        ([{"field": "region", "op": "ends_with", "value": "th"}], [0, 1, 2]),
        ([{"field": "by", "op": "exists"}], [0, 1, 3]),
        ([{"field": "by", "op": "exists", "value": False}], [2]),
        ([{"field": "amount", "op": "eq", "value": None}], [3]),
        ([{"field": "amount", "op": "eq", "value": 300.0}], [2]),
        ([{"field": "amount", "op": "lte", "value": 120},
          {"field": "by", "op": "ne", "value": "ada"}], [1]),
        ({"where": [{"field": "amount", "op": "gt", "value": 200},
                    {"field": "region", "op": "eq", "value": "west"}], "match": "any"}, [2, 3]),
    ],
)  # fmt: skip
def test_filter(condition: Any, kept: list[int]) -> None:
    assert _ids("filter", condition) == kept


def test_true_is_not_one() -> None:
    assert _process("filter", "a = 1", [{"a": True}, {"a": 1}]) == [{"a": 1}]


@pytest.mark.parametrize("operation", ["transform", "map"])
def test_transform_applies_the_steps_in_order(operation: str) -> None:
    steps = [
        {"op": "rename", "field": "amount", "to": "net"},
        {"op": "default", "field": "net", "value": 0},
        {"op": "multiply", "field": "net", "by": 1.19, "into": "gross"},
        {"op": "round", "field": "gross", "digits": 1},
        {"op": "titlecase", "fields": ["by"]},
        {"op": "join", "fields": ["region", "by"], "separator": "/", "into": "key"},
        {"op": "set", "field": "done", "value": True},
        {"op": "drop", "fields": ["region", "by"]},
    ]
    assert _process(operation, steps)[:3] == [
        {"net": 120, "gross": 142.8, "key": "north/Ada", "done": True},
        {"net": 80.5, "gross": 95.8, "key": "south/Grace", "done": True},
        {"net": 300, "gross": 357, "key": "north", "done": True},
    ]


def test_arithmetic_is_decimal_and_keeps_integers() -> None:
    steps = [
        {"op": "add", "field": "a", "by": {"field": "b"}, "into": "sum"},
        {"op": "divide", "field": "c", "by": 4},
        {"op": "subtract", "field": "d", "by": 1},
    ]
    rows: list[Json] = [{"a": 0.1, "b": 0.2, "c": 10, "d": 2**60}]
    assert _process("transform", steps, rows) == [
        {"a": 0.1, "b": 0.2, "c": 2.5, "d": 2**60 - 1, "sum": 0.3}
    ]


@pytest.mark.parametrize(
    ("to", "value", "expected"),
    [
        ("number", " 12.50 ", 12.5), ("number", "7", 7), ("integer", "7", 7), ("integer", 7.0, 7),
        ("text", 7, "7"), ("text", True, "true"), ("boolean", "Yes", True), ("boolean", 0, False),
        ("number", None, None),
    ],
)  # fmt: skip
def test_convert(to: str, value: Json, expected: Json) -> None:
    steps = [{"op": "convert", "field": "a", "to": to}]
    assert _process("transform", steps, [{"a": value}]) == [{"a": expected}]


@pytest.mark.parametrize(
    ("step", "value", "problem"),
    [
        ({"op": "convert", "to": "number"}, "abc", '"abc" is not a number'),
        ({"op": "convert", "to": "number"}, "NaN", '"NaN" is not a number'),
        ({"op": "convert", "to": "integer"}, 1.5, "1.5 is not a whole number"),
        ({"op": "convert", "to": "boolean"}, "maybe", '"maybe" is neither true nor false'),
        ({"op": "divide", "by": {"field": "zero"}}, 1, "division by zero"),
        ({"op": "multiply", "by": 2}, None, "is missing"),
        ({"op": "multiply", "by": 2}, True, "true is not a number"),
        ({"op": "round"}, "x", '"x" is not a number'),
    ],
)
def test_cells_that_do_not_fit_are_named(step: dict[str, Any], value: Json, problem: str) -> None:
    rows: list[Json] = [{"a": 1, "zero": 1}, {"a": value, "zero": 0}]
    with pytest.raises(Invalid) as refused:
        _process("transform", [{**step, "field": "a"}], rows)
    (error,) = refused.value.fields
    assert (error.field, error.message) == ("inputData.data.1.a", problem)


def test_a_named_field_must_be_text_to_be_changed_as_text() -> None:
    with pytest.raises(Invalid, match=r"inputData\.data\.0\.a: 5 is not text"):
        _process("transform", [{"op": "trim", "fields": ["a"]}], [{"a": 5}])


def test_comparing_text_with_a_number_is_said() -> None:
    with pytest.raises(Invalid, match=r'inputData\.data\.1\.a: "x" cannot be compared with 5'):
        _process("filter", "a > 5", [{"a": 9}, {"a": "x"}])


def test_aggregate() -> None:
    metrics = [
        {"fn": "count"},
        {"fn": "sum", "field": "amount", "as": "total"},
        {"fn": "avg", "field": "amount"},
        {"fn": "min", "field": "amount"},
        {"fn": "max", "field": "amount"},
        {"fn": "count_distinct", "field": "by"},
    ]
    north, south, west = _process("aggregate", {"groupBy": ["region"], "metrics": metrics})
    assert north == {
        "region": "north", "count": 2, "total": 420, "avg_amount": 210, "min_amount": 120,
        "max_amount": 300, "count_distinct_by": 1,
    }  # fmt: skip
    assert (south["total"], south["avg_amount"]) == (80.5, 80.5)
    assert (west["total"], west["avg_amount"], west["min_amount"]) == (0, None, None)


def test_aggregate_in_short_form() -> None:
    assert _process("aggregate", "sum(amount), count()") == [{"sum_amount": 500.5, "count": 4}]


def test_sort_puts_nothing_last_and_keeps_equal_rows_in_order() -> None:
    assert _ids("sort", "amount") == [1, 0, 2, 3]
    assert _ids("sort", "-amount") == [2, 0, 1, 3]
    assert _ids("sort", "region, -amount") == [2, 0, 1, 3]


def test_deduplicate() -> None:
    assert _ids("deduplicate", "region") == [0, 1, 3]
    assert _ids("deduplicate", {"fields": ["region"], "keep": "last"}) == [1, 2, 3]
    assert _process("deduplicate", None, [1, 1.0, "1", True]) == [1, "1", True]


def test_plain_values_are_rows_too() -> None:
    assert _process("transform", "uppercase", ["a", "b"]) == ["A", "B"]
    assert _process("sort", "-value", [3, 1, 2]) == [3, 2, 1]
    assert _process("filter", "value > 1", [3, 1, 2]) == [3, 2]


# --- what is refused at enqueue ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "field", "message"),
    [
        ({"operation": "explode"}, "operation", "Input should be"),
        ({"data": []}, "data", "at least 1"),
        ({"data": "rows"}, "data", "valid list"),
        ({"transform": None}, "transform.where", "required"),
        ({"transform": "what"}, "transform", "write for example 'amount >= 100'"),
        ({"transform": "amuont > 1"}, "transform.where.0.field", "did you mean 'amount'?"),
        ({"transform": {"where": [{"field": "amount", "op": "like", "value": 1}]}},
         "transform.where.0.op", "Input should be"),
        ({"transform": {"were": []}}, "transform.where", "required"),
        ({"transform": [{"field": "by", "op": "in", "value": 3}]},
         "transform.where.0", "must be a list"),
        ({"operation": "sort", "transform": "-nope"}, "transform.by.0.field", "no row has"),
        ({"operation": "aggregate", "transform": "total amount"}, "transform", "write for example"),
        ({"operation": "aggregate", "transform": {"metrics": [{"fn": "sum"}]}},
         "transform.metrics.0", "needs a field"),
        ({"operation": "deduplicate", "transform": "x"}, "transform.fields.0", "no row has"),
        ({"operation": "transform",
          "transform": [{"op": "multiply", "field": "amount", "by": {"field": "tax"}}]},
         "transform.steps.0.by.field", "no row has"),
        ({"operation": "transform",
          "transform": [{"op": "drop", "fields": ["by"]}, {"op": "trim", "fields": ["by"]}]},
         "transform.steps.1.fields.0", "no row has"),
        ({"operation": "transform", "transform": [{"op": "eval", "code": "1"}]},
         "transform.steps.0", "does not match any"),
    ],
)  # fmt: skip
def test_a_wrong_instruction_is_refused_by_name(
    bench: Bench, data: dict[str, Json], field: str, message: str
) -> None:
    request: dict[str, Json] = {"operation": "filter", "data": SALES, "transform": "amount > 1"}
    with pytest.raises(Invalid) as refused:
        bench.enqueue("data-processing", {**request, **data})
    found = {error.field: error.message for error in refused.value.fields}
    assert f"inputData.{field}" in found
    assert message in found[f"inputData.{field}"]


def test_fields_that_a_step_makes_may_be_read_by_the_next() -> None:
    steps = [
        {"op": "rename", "field": "amount", "to": "net"},
        {"op": "default", "field": "net", "value": 1},
        {"op": "multiply", "field": "net", "by": 2, "into": "gross"},
        {"op": "add", "field": "gross", "by": {"field": "net"}},
    ]
    assert _process("transform", steps)[0]["gross"] == 360


# --- what reviewers see --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "transform", "words"),
    [
        ("filter", "amount >= 100", "Keep rows where amount ≥ 100"),
        ("sort", "-amount, by", "Sort by amount descending, by"),
        ("deduplicate", None, "Keep the first of rows with the same content"),
        ("aggregate", "sum(amount) by region", "Compute sum(amount) as sum_amount for each region"),
        ("transform", "trim, uppercase", "Change every row: trim all texts; uppercase all texts"),
        (
            "transform",
            [{"op": "multiply", "field": "amount", "by": 2, "into": "double"}],
            "Change every row: double = amount × 2",
        ),
    ],
)
def test_instructions_in_words(operation: str, transform: Any, words: str) -> None:
    assert describe(parse_spec(operation, transform)) == words


def test_long_instructions_are_cut_for_the_action() -> None:
    steps = [{"op": "set", "field": f"field{n}", "value": "x" * 50} for n in range(20)]
    text = describe(parse_spec("transform", steps))
    assert len(text) == 300
    assert text.endswith("…")


def test_the_sample_shows_what_became_of_exactly_its_rows() -> None:
    data: list[Json] = [{"n": n} for n in range(200)]
    request = DataProcessing.model_validate(
        {"operation": "filter", "data": data, "transform": "n < 190"}
    )
    before, after = sample(request)
    assert len(before) == SAMPLE
    assert [row for row in data[190:] if row in before] == data[190:]  # what goes is shown first
    assert after == [row for row in before if row in data[:190]]


def test_the_sample_of_a_summary_shows_its_first_rows() -> None:
    data: list[Json] = [{"n": n} for n in range(200)]
    request = DataProcessing.model_validate(
        {"operation": "aggregate", "data": data, "transform": "count() by n"}
    )
    before, after = sample(request)
    assert (before, len(after)) == (data[:SAMPLE], SAMPLE)


_CELLS = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3)
_ROWS = st.lists(
    st.dictionaries(st.sampled_from("abc"), _CELLS, min_size=1), min_size=1, max_size=12
)


@given(_ROWS, st.sampled_from(["a", "-b", "a, -c"]))
def test_sorting_only_orders(rows: list[dict[str, Json]], keys: str) -> None:
    outs = apply(parse_spec("sort", keys), rows)
    assert sorted(out.origin or 0 for out in outs) == list(range(len(rows)))
    assert [out.row for out in apply(parse_spec("sort", keys), [o.row for o in outs])] == [
        out.row for out in outs
    ]


@given(_ROWS)
def test_deduplicating_twice_changes_nothing_more(rows: list[dict[str, Json]]) -> None:
    once = [out.row for out in apply(parse_spec("deduplicate", None), rows)]
    assert [out.row for out in apply(parse_spec("deduplicate", None), once)] == once


@given(_ROWS)
def test_operations_leave_their_input_alone(rows: list[dict[str, Json]]) -> None:
    kept = json.dumps(rows)
    for operation, transform in (
        ("transform", "uppercase, trim"),
        ("sort", "a"),
        ("deduplicate", "a"),
    ):
        apply(parse_spec(operation, transform), rows)
    assert json.dumps(rows) == kept


def test_the_stored_input_reads_back_as_the_same_instruction(bench: Bench) -> None:
    spec = bench.registry.find("data-processing")
    assert spec is not None
    assert spec.function is data_processing
    for example in spec.examples:
        bound = bench.registry.validate("data-processing", example)
        assert bench.registry.validate("data-processing", bound) == bound
        assert run(spec.parse(bound)) == run(spec.parse(example))
