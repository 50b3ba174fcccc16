from __future__ import annotations

from typing import Any

import pytest

from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import JobStatus
from agent_console.testing import Bench

CHOICES = {"choices": ["green", "blue"]}


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        ({"kind": "yes or no", "default": "no"}, True),
        ({"kind": "one of the choices", **CHOICES, "default": "blue"}, "green"),
        ({"kind": "some of the choices", **CHOICES, "default": "blue"}, ["green"]),
        ({}, "as last time"),
        (
            {"kind": "form"},
            {
                "verdict": "wait",
                "until": "2026-02-03",
                "people": 2,
                "tellEverybody": True,
                "note": "",
            },
        ),
    ],
)
def test_returns_what_was_answered(bench: Bench, data: dict[str, Any], answer: Any) -> None:
    job_id = bench.enqueue("question", {"question": "Which?", **data})
    bench.run()
    assert bench.pending(job_id).message == "Which?"
    bench.answer(job_id, answer)
    bench.run()
    job = bench.job(job_id)
    assert (job.status, bench.steps(job_id)[0]) == (JobStatus.COMPLETED, ("ask", "Which?"))
    assert job.output_data == {"success": True, "question": "Which?", "answer": answer}


def test_the_form_takes_no_date_that_is_none(bench: Bench) -> None:
    job_id = bench.enqueue("question", {"question": "How?", "kind": "form"})
    bench.run()
    with pytest.raises(Invalid) as refused:
        bench.answer(job_id, {"verdict": "wait", "until": "soon", "people": -1})
    assert {one.field for one in refused.value.fields} == {"answer.until", "answer.people"}


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "one of the choices", "choices": ["one"]},
        {"kind": "some of the choices", "choices": ["a", "b"], "default": "c"},
        {"kind": "yes or no", "default": "perhaps"},
        {"kind": "form", "default": "x"},
        {"kind": "an essay"},
    ],
)
def test_what_cannot_be_asked_is_refused(bench: Bench, data: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        bench.enqueue("question", {"question": "Which?", **data})
