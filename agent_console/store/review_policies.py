"""Versions of review policies: the newest of each holds, earlier ones stay as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from agent_console.domain.access import Actor, Role
from agent_console.domain.clock import from_micros
from agent_console.domain.errors import Conflict
from agent_console.domain.events import Event
from agent_console.domain.jobs import Json
from agent_console.domain.payload import dumps, loads
from agent_console.domain.review_policies import (
    ALL_TYPES,
    AtDeadline,
    Automatic,
    Deadline,
    Group,
    Person,
    PolicyBook,
    Reviewers,
    ReviewPolicy,
    Terms,
)
from agent_console.store import reviewer_groups
from agent_console.store.dialects import ids_param
from agent_console.store.ids import new_id
from agent_console.store.rows import instant
from agent_console.store.transactions import Params, Queries, Tx

MAX_VERSIONS = 200  # that are listed

# Through the partial index of what holds: a handful of rows, however many versions there were.
HOLDING = """
SELECT * FROM review_policies WHERE superseded_at IS NULL AND job_type {among_ids}
"""
CURRENT = "SELECT * FROM review_policies WHERE superseded_at IS NULL ORDER BY job_type, action"
BY_ID = "SELECT * FROM review_policies WHERE id = :id"
HOLD = "SELECT 1 FROM review_policies WHERE id = :id AND superseded_at IS NULL {for_share}"
VERSIONS = """
SELECT * FROM review_policies WHERE job_type = :job_type AND action = :action
ORDER BY version DESC LIMIT :limit
"""
LATEST = """
SELECT * FROM review_policies
WHERE superseded_at IS NULL AND job_type = :job_type AND action = :action {for_update}
"""
SUPERSEDE = """
UPDATE review_policies SET superseded_at = {now} WHERE id = :id AND superseded_at IS NULL
"""
INSERT = """
INSERT INTO review_policies (id, job_type, action, version, removed, terms, saved_by, saved_by_name,
  saved_at)
VALUES (:id, :job_type, :action, :version, :removed, :terms, :by, :by_name, {now})
ON CONFLICT DO NOTHING RETURNING *
"""


def book(queries: Queries, job_types: Sequence[str]) -> PolicyBook:
    """Return the policies that hold for ``job_types``: one indexed read, for any number."""
    ids = ids_param(sorted({ALL_TYPES, *job_types}), queries.dialect)
    return PolicyBook(_policies(queries, queries.dicts(HOLDING, {"ids": ids})))


def current(queries: Queries) -> list[ReviewPolicy]:
    """Return the newest version of each policy that has not been removed."""
    return [one for one in _policies(queries, queries.dicts(CURRENT)) if not one.removed]


def has(queries: Queries, job_type: str) -> bool:
    """Say whether there ever was a policy of the type."""
    sql = "SELECT 1 FROM review_policies WHERE job_type = :job_type LIMIT 1"
    return queries.row(sql, {"job_type": job_type}) is not None


def by_id(queries: Queries, policy_id: str) -> ReviewPolicy | None:
    """Return a version, or None."""
    found = queries.dicts(BY_ID, {"id": policy_id})
    return _policies(queries, found)[0] if found else None


def hold(tx: Tx, policy_id: str) -> bool:
    """Say whether the version holds, and keep it so until the end of the transaction.

    Whoever saves another one waits for that: what a version decides by itself is over once its
    successor is saved.
    """
    return tx.row(HOLD, {"id": policy_id}) is not None


def latest(queries: Queries, job_type: str, action: str) -> ReviewPolicy | None:
    """Return the newest version, one that says that it is removed included; None: there is none.

    In a transaction it is locked.
    """
    sql = LATEST if isinstance(queries, Tx) else LATEST.replace("{for_update}", "")
    found = queries.dicts(sql, {"job_type": job_type, "action": action})
    return _policies(queries, found)[0] if found else None


def versions(queries: Queries, job_type: str, action: str) -> list[ReviewPolicy]:
    """Return the versions, newest first."""
    asked: Params = {"job_type": job_type, "action": action, "limit": MAX_VERSIONS}
    return _policies(queries, queries.dicts(VERSIONS, asked))


def save(
    tx: Tx,
    job_type: str,
    action: str,
    terms: Terms,
    *,
    base_version: int | None,
    actor: Actor,
    removed: bool = False,
    facts: Mapping[str, Json] | None = None,
) -> ReviewPolicy:
    """Add a version; ``base_version`` is the one it was made from (0: none), None if no matter.

    ``facts`` are journaled with it.

    Raises:
        Conflict: somebody else has saved a version meanwhile.
    """
    before = latest(tx, job_type, action)
    if base_version is not None and base_version != (before.version if before else 0):
        raise _faster(before)
    if before is not None:
        tx.execute(SUPERSEDE, {"id": before.id})
    row: Params = {
        "id": new_id("pol"),
        "job_type": job_type,
        "action": action,
        "version": before.version + 1 if before else 1,
        "removed": int(removed),
        "terms": dumps(terms_json(terms)),
        "by": actor.id,
        "by_name": actor.name or actor.kind,
    }
    made = tx.dicts(INSERT, row)
    if not made:
        raise _faster(latest(tx, job_type, action))
    saved = _policies(tx, made)[0]
    tx.record(_event(saved, actor, facts or {}))
    return saved


def policy_facts(policy: ReviewPolicy) -> dict[str, Json]:
    """Return what the journal says of the policy that was applied; nothing where there is none."""
    if policy.id is None:
        return {}
    named: dict[str, Json] = {"id": policy.id, "jobType": policy.job_type}
    return {"policy": {**named, "action": policy.action, "version": policy.version}}


def _faster(now: ReviewPolicy | None) -> Conflict:
    if now is None:
        return Conflict("There is no such policy any more, or not yet; look again.")
    return Conflict(
        f"{now.saved_by_name} was faster: this policy is at version {now.version}; look again.",
        currentVersion=now.version,
        savedBy=now.saved_by_name,
    )


def _event(policy: ReviewPolicy, actor: Actor, facts: Mapping[str, Json]) -> Event:
    data: dict[str, Json] = {"action": policy.action, "version": policy.version, **facts}
    if not policy.removed:
        data["terms"] = terms_json(policy.terms)
    return Event(
        action="review_policy.removed" if policy.removed else "review_policy.saved",
        actor=actor,
        job_type=policy.job_type,
        subject_id=policy.id,
        data=data,
    )


def _policies(queries: Queries, rows: Sequence[Mapping[str, Any]]) -> list[ReviewPolicy]:
    """Return the policies of rows; groups with who is in them now."""
    made = [_policy(row) for row in rows]
    sets = [one for policy in made for one in (policy.terms.deciders, policy.terms.deadline.to)]
    ids = {group.id for one in sets for group in one.groups}
    if not ids:  # nothing is asked of the database where no policy names a group
        return made
    known = reviewer_groups.resolved(queries, ids)

    def filled(one: Reviewers) -> Reviewers:
        return replace(one, groups=tuple(known.get(group.id, group) for group in one.groups))

    return [
        replace(
            policy,
            terms=replace(
                policy.terms,
                deciders=filled(policy.terms.deciders),
                deadline=replace(policy.terms.deadline, to=filled(policy.terms.deadline.to)),
            ),
        )
        for policy in made
    ]


def _policy(row: Mapping[str, Any]) -> ReviewPolicy:
    return ReviewPolicy(
        **{name: row[name] for name in ("id", "job_type", "action", "version", "saved_by_name")},
        terms=terms_of(loads(row["terms"])),
        removed=bool(row["removed"]),
        saved_at=from_micros(row["saved_at"]),
        superseded_at=instant(row["superseded_at"]),
    )


def terms_json(terms: Terms) -> dict[str, Json]:
    """Return the JSON that is stored and journaled."""
    deadline: dict[str, Json] = {
        "then": terms.deadline.then.value,
        "seconds": terms.deadline.seconds,
        "times": terms.deadline.times,
        "to": _reviewers_json(terms.deadline.to),
        "last": terms.deadline.last.value,
    }
    return {
        "deciders": _reviewers_json(terms.deciders),
        "requiredApprovals": terms.required_approvals,
        "veto": terms.veto,
        "selfApproval": terms.self_approval,
        "bulkAllowed": terms.bulk_allowed,
        "undoSeconds": terms.undo_seconds,
        "deadline": deadline,
        "remindSeconds": [*terms.remind_seconds],
        "automatic": {"upTo": terms.automatic.up_to, "shadow": terms.automatic.shadow},
        "note": terms.note,
    }


def terms_of(found: Any) -> Terms:
    """Return what ``terms_json`` wrote."""
    deadline = found["deadline"]
    automatic = found.get("automatic") or {}  # versions of before have none
    return Terms(
        deciders=_reviewers(found["deciders"]),
        required_approvals=found["requiredApprovals"],
        veto=found["veto"],
        self_approval=found["selfApproval"],
        bulk_allowed=found["bulkAllowed"],
        undo_seconds=found["undoSeconds"],
        deadline=Deadline(
            then=AtDeadline(deadline["then"]),
            seconds=deadline["seconds"],
            times=deadline["times"],
            to=_reviewers(deadline["to"]),
            last=AtDeadline(deadline["last"]),
        ),
        remind_seconds=tuple(found["remindSeconds"]),
        automatic=Automatic(
            up_to=automatic.get("upTo"), shadow=bool(automatic.get("shadow", False))
        ),
        note=found["note"],
    )


def _reviewers_json(reviewers: Reviewers) -> dict[str, Json]:
    people: list[Json] = [{"id": one.id, "name": one.name} for one in reviewers.people]
    groups: list[Json] = [{"id": one.id, "name": one.name} for one in reviewers.groups]
    roles: list[Json] = [role.value for role in reviewers.roles]
    return {"roles": roles, "people": people, "groups": groups}


def _reviewers(found: Any) -> Reviewers:
    return Reviewers(
        roles=tuple(Role(one) for one in found["roles"]),
        people=tuple(Person(id=one["id"], name=one["name"]) for one in found["people"]),
        groups=tuple(Group(id=one["id"], name=one["name"]) for one in found.get("groups", ())),
    )
