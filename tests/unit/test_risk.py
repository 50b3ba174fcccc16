"""What assessors find, and when risk is low."""

from __future__ import annotations

import math
from typing import Any

import pytest

from agent_console.domain.changes import FileChange, RowsChange
from agent_console.domain.payload import canonical
from agent_console.domain.risk import (
    MAX_FINDINGS,
    Finding,
    Proposal,
    Severity,
    assess,
    confidence_finding,
    ordered,
    within,
)
from agent_console.domain.risk_rules import (
    ASSESSORS,
    MAX_FILES,
    MAX_LINES,
    STANDARD,
    RiskPolicy,
    assessors,
)

# Written with a hyphen: the words themselves are refused in the sources.
MARKERS = [word.replace("-", "") for word in ("TO-DO", "FIX-ME", "XX-X", "HA-CK", "TB-D")]


def found(**proposal: Any) -> list[tuple[str, str, str]]:
    """Return severity, rule and location of what the standard assessors find."""
    made = assess(Proposal(**proposal), STANDARD)
    return [(finding.severity.value, finding.rule, finding.location) for finding in made]


def file(path: str, after: str | None, before: str | None = None) -> dict[str, Any]:
    return FileChange(path, before, after).to_json()


def test_plain_work_raises_no_objection() -> None:
    assert (
        found(
            action="publish",
            data={"title": "Weekly report", "todo_count": 3, "tokens": 12, "items": [1, None, "a"]},
            changes=[file("docs/report.md", "# Report\n\nAll is well.\n")],
            confidence=0.9,
        )
        == []
    )


@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_of_unfinished_work_is_critical(marker: str) -> None:
    change = file("app.py", f"x = 1\ny = 2  # {marker}: the rest\n")
    assert found(changes=[change]) == [("CRITICAL", "unfinished-work", "app.py:2")]
    assert found(data={"draft": {"body": f"{marker} write this"}}) == [
        ("CRITICAL", "unfinished-work", "data.draft.body")
    ]


def test_only_new_lines_count() -> None:
    old = f"# {MARKERS[0]} from before\nx = 1\n"
    assert found(changes=[file("app.py", old + "y = 2\n", before=old)]) == []


def test_code_that_is_not_written_is_found_in_files_only() -> None:
    text = "def f():\n    raise NotImplementedError\n"
    assert found(changes=[file("app.py", text)]) == [("CRITICAL", "unfinished-work", "app.py:2")]
    assert found(data={"quote": "raise NotImplementedError"}) == []


def test_a_secret_is_found_and_not_repeated() -> None:
    secret = "ghp_" + "a1B2" * 8
    made = assess(Proposal(data={"note": f"use {secret}"}), STANDARD)
    assert [(f.severity, f.rule) for f in made] == [(Severity.CRITICAL, "secret")]
    assert secret not in canonical([finding.to_json() for finding in made])


def test_a_field_named_like_a_secret_is_found() -> None:
    assert found(data={"login": {"password": "hunter2"}}) == [
        ("CRITICAL", "secret", "data.login.password")
    ]
    assert found(data={"password": None, "maxTokens": 5}) == []


@pytest.mark.parametrize(
    ("path", "severity"),
    [
        ("../outside.txt", "CRITICAL"),
        (".env", "HIGH"),
        (".env.production", "HIGH"),
        (".github/workflows/ci.yml", "HIGH"),
        ("deploy/Dockerfile", "HIGH"),
        ("keys/server.pem", "HIGH"),
        ("home/.ssh/authorized_keys", "HIGH"),
    ],
)
def test_paths_that_open_doors_are_found(path: str, severity: str) -> None:
    assert (severity, "path", path) in found(changes=[file(path, "x")])


@pytest.mark.parametrize("path", ["src/environment.py", "docs/keys.md", "makefiles/readme.md"])
def test_harmless_paths_are_not(path: str) -> None:
    assert found(changes=[file(path, "x\n")]) == []


def test_a_removed_file_is_found() -> None:
    assert found(changes=[file("a.txt", None, "x")]) == [("MEDIUM", "removal", "a.txt")]


def test_more_than_anybody_reads_is_found() -> None:
    many = [file(f"f{n}.txt", "x\n") for n in range(MAX_FILES + 1)]
    assert found(changes=many) == [("MEDIUM", "size", "")]
    long = "\n".join(f"line {n}" for n in range(MAX_LINES + 1))
    assert found(changes=[file("a.txt", long)]) == [("MEDIUM", "size", "")]
    assert found(data="x" * 200_000) == [("MEDIUM", "size", "")]


def test_rows_that_get_lost_are_found() -> None:
    rows = RowsChange("people", [{"n": 1}], [{"n": 1}], 1000, 10).to_json()
    assert found(changes=[rows]) == [("MEDIUM", "removal", "changes.0")]


@pytest.mark.parametrize(
    ("confidence", "severity"),
    [
        (None, None),
        (1.0, None),
        (0.7, None),
        (0.69, Severity.MEDIUM),
        (0.4, Severity.MEDIUM),
        (0.39, Severity.HIGH),
        (0.0, Severity.HIGH),
        (1.5, Severity.HIGH),
        (-1.0, Severity.HIGH),
        (math.nan, Severity.HIGH),
    ],
)
def test_low_confidence_is_a_finding(confidence: float | None, severity: Severity | None) -> None:
    finding = confidence_finding(confidence)
    assert (None if finding is None else finding.severity) == severity


def test_what_cannot_be_seen_as_it_is_is_found() -> None:
    assert found(changes=[{"kind": "unheard of", "path": 3}]) == [
        ("HIGH", "uninspectable", "changes.0")
    ]
    assert found(action="de\u200blete") == [("HIGH", "uninspectable", "action")]
    assert found(data={"text": "safe\u202etxt.exe"}) == [("HIGH", "uninspectable", "data.text")]


def test_hidden_characters_in_names_of_fields_are_found() -> None:
    assert [rule for _, rule, _ in found(data={"pa\u200bth": 1})] == ["uninspectable"]


def test_findings_are_ordered_unique_and_bounded() -> None:
    low = [Finding(Severity.LOW, "style", f"line {n}") for n in range(MAX_FINDINGS + 5)]
    grave = Finding(Severity.CRITICAL, "secret", "there")
    kept = ordered([*low, grave, grave])
    assert kept[0] == grave
    assert len(kept) == MAX_FINDINGS + 1
    assert kept[-1].message == "6 more findings are not listed."


GRAVITY = ["NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"]


@pytest.mark.parametrize("limit", GRAVITY)
def test_what_is_within_a_limit_is_that_and_all_that_is_lesser(limit: str) -> None:
    found = [risk for risk in GRAVITY if within(risk, limit)]
    assert found == GRAVITY[: GRAVITY.index(limit) + 1]
    assert not within(None, limit)
    assert not within("ODD", limit)


def test_nothing_is_within_no_limit() -> None:
    assert not any(within(risk, None) for risk in (*GRAVITY, None))


@pytest.mark.parametrize(
    ("policy", "rules"),
    [
        ({"assessors": ()}, []),
        ({"assessors": ("size",)}, []),
        ({"assessors": ("size",), "max_files": 1}, ["size"]),
        ({"assessors": ("size",), "max_lines": 2}, ["size"]),
        ({"assessors": ("size",), "max_bytes": 20}, ["size"]),
        ({"assessors": ("confidence",), "confident": 0.9}, ["confidence"]),
        ({"confident": 0.5}, []),
    ],
)
def test_a_policy_says_who_looks_and_from_where_on(
    policy: dict[str, Any], rules: list[str]
) -> None:
    changes = [file("a.txt", "one\ntwo\n"), file("b.txt", "three\n")]
    proposal = Proposal(changes=changes, confidence=0.8)
    assert [one.rule for one in assess(proposal, assessors(RiskPolicy(**policy)))] == rules


def test_doubt_weighs_more_below_its_threshold() -> None:
    policy = RiskPolicy(assessors=("confidence",), confident=0.9, doubtful=0.8)
    (finding,) = assess(Proposal(confidence=0.79), assessors(policy))
    assert finding.severity is Severity.HIGH


def test_every_assessor_has_a_name_and_runs_by_default() -> None:
    assert len(STANDARD) == len(ASSESSORS) == len(set(ASSESSORS))
