"""What people decided lately, and what rules on automatic approval did: bounded reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from agent_console.domain.automatic import CHECKPOINT_REQUIRED
from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.clock import MICROSECONDS, from_micros
from agent_console.domain.rule_history import MAX_LISTED, Past, RuleRecord
from agent_console.store.dialects import ids_param
from agent_console.store.rows import PAYLOAD_HEAD, action_of, instant
from agent_console.store.transactions import Params, Queries

SCANNED: Final = 20_000  # checkpoints that one statement looks at, the newest
COUNTED: Final = 5_000  # of a rule's, the newest
DAY: Final = 86_400 * MICROSECONDS

_PAST: Final = f"""
SELECT c.id, c.job_id, j.job_type, substr(c.payload, 1, {PAYLOAD_HEAD}) AS payload_head, c.risk,
  c.status, c.edited_data IS NOT NULL AS edited, c.insists, c.round, j.approval_strategy,
  c.approved_by, c.approved_by_name, c.approved_at, c.created_at
"""
# Keys first: however rare the job type is, so many are looked at and no more.
DECIDED: Final = f"""
{_PAST}
FROM (SELECT id FROM agent_checkpoints
  WHERE checkpoint_type = 'APPROVAL_REQUIRED' AND created_at >= {{now}} - :span
  ORDER BY created_at DESC, id DESC LIMIT {SCANNED}) n
JOIN agent_checkpoints c ON c.id = n.id JOIN ai_jobs j ON j.id = c.job_id
WHERE c.status IN ('APPROVED', 'REJECTED', 'CHANGES_REQUESTED') AND c.forked_from IS NULL
  AND coalesce(c.approved_by, '') <> 'policy' /*type*/
ORDER BY c.created_at DESC, c.id DESC
"""
SCAN: Final = f"""
SELECT count(*) FROM (SELECT 1 FROM agent_checkpoints
  WHERE checkpoint_type = 'APPROVAL_REQUIRED' AND created_at >= {{now}} - :span
  ORDER BY created_at DESC, id DESC LIMIT {SCANNED}) n
"""
FIGURES: Final = f"""
SELECT rule_shadow, status, edited, automatic, count(*) FROM (
  SELECT c.rule_shadow, c.status, c.edited_data IS NOT NULL AS edited,
    coalesce(c.approved_by, '') = 'policy' AS automatic
  FROM agent_checkpoints c WHERE c.rule_id {{among_ids}} AND c.created_at >= {{now}} - :span
  ORDER BY c.created_at DESC LIMIT {COUNTED}) f
GROUP BY 1, 2, 3, 4
"""
_OF_RULE: Final = f"""
{_PAST}
FROM agent_checkpoints c JOIN ai_jobs j ON j.id = c.job_id
WHERE c.rule_id {{among_ids}} AND c.created_at >= {{now}} - :span AND %s
ORDER BY c.created_at DESC, c.id DESC LIMIT {MAX_LISTED}
"""
CONTRADICTIONS: Final = _OF_RULE % (
    "c.rule_shadow = 1 AND coalesce(c.approved_by, '') <> 'policy'"
    " AND ({indexable}c.status IN ('REJECTED', 'CHANGES_REQUESTED') OR c.edited_data IS NOT NULL)"
)
APPROVED: Final = _OF_RULE % (
    "c.rule_shadow = 0 AND c.approved_by = 'policy' AND {indexable}c.status = 'APPROVED'"
)


def decided(queries: Queries, days: int, job_type: str | None = None) -> tuple[list[Past], bool]:
    """Return what people decided of what was asked in the last ``days``, newest first.

    Copies in forks are left out. The flag says that there was more than is looked at.
    """
    params: Params = {"span": days * DAY}
    found = queries.row(SCAN, params)
    capped = found is not None and found[0] >= SCANNED
    only = ""
    if job_type is not None:
        params, only = {**params, "job_type": job_type}, "AND j.job_type = :job_type"
    return [_past(row) for row in queries.dicts(DECIDED.replace("/*type*/", only), params)], capped


def figures(queries: Queries, record: RuleRecord, version_ids: Sequence[str]) -> RuleRecord:
    """Return ``record`` with what versions did in its days, counted among the newest."""
    counts: Counter[str] = Counter()
    for shadow, status, edited, automatic, count in queries.rows(
        FIGURES, _asked(queries, version_ids, record.days)
    ):
        if name := _counted_as(status, shadow=shadow, edited=edited, automatic=automatic):
            counts[name] += int(count)
    return replace(
        record,
        approved=counts["approved"],
        agreed=counts["agreed"],
        disagreed=counts["disagreed"],
        open=counts["open"],
    )


def lists(queries: Queries, record: RuleRecord, version_ids: Sequence[str]) -> RuleRecord:
    """Return ``record`` with the latest checkpoints that its figures are of."""
    asked = _asked(queries, version_ids, record.days)
    return replace(
        record,
        contradictions=[_past(row) for row in queries.dicts(CONTRADICTIONS, asked)],
        approved_latest=[_past(row) for row in queries.dicts(APPROVED, asked)],
    )


def _counted_as(status: str, *, shadow: int, edited: bool, automatic: bool) -> str:
    if not shadow:  # what was sent back to people since is nothing that the rule approved
        return "approved" if automatic and status == "APPROVED" else ""
    if automatic or status in {"PENDING", "EXPIRED", "CANCELED"}:
        return "open"  # no person has said anything
    return "agreed" if status == "APPROVED" and not edited else "disagreed"


def _asked(queries: Queries, version_ids: Sequence[str], days: int) -> Params:
    return {"ids": ids_param(version_ids, queries.dialect), "span": days * DAY}


def _past(row: Mapping[str, Any]) -> Past:
    insists = row["insists"] or row["round"] > 1 or row["approval_strategy"] == CHECKPOINT_REQUIRED
    name = row["approved_by_name"] or ""
    return Past(
        id=row["id"],
        job_id=row["job_id"],
        job_type=row["job_type"],
        action=action_of(row["payload_head"]),
        risk=row["risk"],
        status=CheckpointStatus(row["status"]),
        edited=bool(row["edited"]),
        insists=bool(insists),
        by=row["approved_by"] or f"name:{name}",
        by_name=name,
        decided_at=instant(row["approved_at"]),
        created_at=from_micros(row["created_at"]),
    )
