"""The page of review policies, and the card under one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import reflex as rx

from agent_console.domain.access import Role, local_operator
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.review_policies import (
    AtDeadline,
    Automatic,
    Deadline,
    Group,
    Person,
    Reviewers,
    ReviewPolicy,
    Terms,
)
from agent_console.store.claims import claim
from agent_console.store.policy_approvals import put_up
from agent_console.ui.pages import review_policies
from agent_console.ui.policy_forms import form_of, terms_of
from agent_console.ui.policy_views import asked
from agent_console.ui.states.checkpoints import Desk
from agent_console.ui.states.delegations import StandIns
from agent_console.ui.states.groups import ReviewerGroups
from agent_console.ui.states.policy_rules import PolicyRules
from agent_console.ui.states.review_policies import ReviewPolicies
from tests.support.factories import enqueue
from tests.support.runs import checkpoint
from tests.ui.conftest import Browser, Console, run
from tests.ui.test_desk_events import form, waiting

ROOT = local_operator("root")
ANA, RAY = Person(id="usr_ana", name="Ana"), Person(id="usr_ray", name="Ray")
SECURITY = Group(id="grp_1", name="Security")


def typed(policy: ReviewPolicy) -> dict[str, Any]:
    """Return what a browser sends of the form of ``policy`` as it opens."""
    opened = form_of(policy, [ANA, RAY], "")
    boxes = {one.name: "on" for one in (*opened.deciders, *opened.others) if one.checked}
    ticks = {name: "on" for name in ("veto", "bulk", "shadow") if getattr(opened, name)}
    texts = ("automatic", "approvals", "undo", "then", "minutes", "times", "last", "remind", "note")
    same = {name: getattr(opened, name) for name in texts}
    return {**same, "selfApproval": opened.self_approval, **boxes, **ticks}


@pytest.mark.parametrize(
    "terms",
    [
        Terms(deadline=Deadline(seconds=3600)),
        Terms(
            deciders=Reviewers(roles=(Role.ADMIN,), people=(ANA,), groups=(SECURITY,)),
            required_approvals=2,
            veto=False,
            self_approval="never",
            bulk_allowed=False,
            undo_seconds=0,
            deadline=Deadline(
                then=AtDeadline.ESCALATE,
                seconds=90,
                times=3,
                to=Reviewers(roles=(), people=(RAY,)),
                last=AtDeadline.REJECT,
            ),
            remind_seconds=(3600, 90),
            automatic=Automatic(up_to="LOW", shadow=True),
            note="why",
        ),
    ],
)
def test_a_form_that_is_sent_as_it_opened_says_the_same(terms: Terms) -> None:
    found = terms_of(typed(ReviewPolicy(terms=terms)))
    ids = [one.id for one in terms.deciders.people]
    assert [one.id for one in found.deciders.people] == ids
    named = replace(found, deciders=terms.deciders, deadline=terms.deadline)
    assert named == terms
    assert found.deciders.roles == terms.deciders.roles
    assert [one.id for one in found.deciders.groups] == [one.id for one in terms.deciders.groups]
    assert replace(found.deadline, to=terms.deadline.to) == terms.deadline


@pytest.mark.parametrize(
    ("field", "value", "label"),
    [
        ("approvals", "two", "Approvals needed"),
        ("undo", "-1", "Undo"),
        ("minutes", "soon", "Minutes more"),
        ("minutes", "nan", "Minutes more"),
        ("times", "1.5", "How often"),
        ("remind", "60, x", "Reminders"),
    ],
)
def test_what_is_no_number_is_said_at_its_name(field: str, value: str, label: str) -> None:
    sent = {**typed(ReviewPolicy()), field: value}
    with pytest.raises(ValueError, match=f"^{label}: enter "):
        terms_of(sent)


def test_the_page_can_be_laid_out(app: rx.App) -> None:
    assert app is not None  # the services are bound
    assert "Review policies" in str(review_policies.page().render())


def test_an_admin_saves_a_version_looks_at_them_and_ends_the_policy(console: Console) -> None:
    async def act() -> None:
        async with Browser(console.sign_in("admin"), "/review-policies?type=greet") as browser:

            def value(name: str) -> Any:
                return browser.wire.value(ReviewPolicies, name)

            await browser.send(ReviewPolicies.watch, wait=False)
            await browser.until(lambda: value("rows"))
            every, greet = value("rows")
            assert (every.title, every.source) == ("all job types", "nothing saved: this holds")
            assert (greet.job_type, greet.own, greet.current) == ("greet", False, True)
            await browser.send(ReviewPolicies.edit("greet", ""))
            assert value("asking") == "edit"
            sent = {**typed(ReviewPolicy()), "approvals": "0"}
            await browser.send(ReviewPolicies.save(sent))
            assert value("wrong").startswith("Approvals needed: must be 1")
            await browser.send(ReviewPolicies.save({**sent, "approvals": "1", "note": "ours"}))
            assert value("asking") == ""
            assert (value("rows")[1].version, value("rows")[1].note) == ("version 1", "ours")
            await browser.send(ReviewPolicies.add())
            new = {**sent, "approvals": "1", "jobType": "greet", "action": "say hello"}
            await browser.send(ReviewPolicies.save(new))
            assert [row.action for row in value("rows")] == ["", "", "say hello"]
            await browser.send(ReviewPolicies.show_versions("greet", ""))
            assert [one.version for one in value("versions")] == ["Version 1"]
            await browser.send(ReviewPolicies.edit("greet", ""))
            await browser.send(ReviewPolicies.remove())
            assert [row.own for row in value("rows")] == [False, False, True]

    run(act())


def test_a_reviewer_reads_and_changes_nothing(console: Console) -> None:
    async def act() -> None:
        async with Browser(console.sign_in("reviewer"), "/review-policies") as browser:
            await browser.send(ReviewPolicies.watch, wait=False)
            await browser.until(lambda: browser.wire.value(ReviewPolicies, "rows"))
            assert "policies:manage" in browser.wire.value(ReviewPolicies, "rows")[0].refusal
            await browser.send(ReviewPolicies.save(typed(ReviewPolicy())))
            await browser.send(ReviewPolicies.remove())

    run(act())
    assert console.services.policies.page(ROOT)[0].version == 0


def test_a_vote_is_shown_and_withdrawn(console: Console) -> None:
    cookie = console.sign_in("reviewer")
    console.sign_in("admin")
    console.services.policies.save(ROOT, "*", Terms(required_approvals=2))
    checkpoint_id = waiting(console)

    async def act() -> None:
        async with Browser(cookie, f"/admin/agent-checkpoints/{checkpoint_id}") as browser:

            def asked() -> Any:
                return browser.wire.value(Desk, "ruling").asked

            await browser.send(Desk.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Desk, "loaded"))
            assert asked().approvals == "0 of 2 approvals"
            assert asked().who == "reviewers or admins"
            await browser.send(Desk.approve(form(console, checkpoint_id, feedback="fine")))
            await browser.until(lambda: asked().votes)
            (vote,) = asked().votes
            assert (vote.verb, vote.said, vote.own) == ("approved", "fine", True)
            assert asked().approvals.startswith("1 of 2 approvals: ")
            assert "said this already" in asked().why_not_again
            assert browser.wire.value(Desk, "undoable").until == ""
            await browser.send(Desk.withdraw())
            await browser.until(lambda: not asked().votes)

    run(act())


def test_somebody_stands_in_until_it_is_ended(console: Console) -> None:
    console.sign_in("admin")

    async def act() -> None:
        async with Browser(console.sign_in("reviewer"), "/review-policies") as browser:

            def value(name: str) -> Any:
                return browser.wire.value(StandIns, name)

            await browser.send(StandIns.watch, wait=False)
            await browser.until(lambda: value("loaded"))
            await browser.send(StandIns.turn(True))
            await browser.send(StandIns.lend({"to": "admin@example.com", "days": "soon"}))
            assert value("wrong") == "For how many days: enter a whole number."
            await browser.send(StandIns.lend({"to": "admin@example.com", "days": "91"}))
            assert value("wrong").startswith("For how many days: must be later")
            await browser.send(StandIns.lend({"to": "nobody@example.com", "days": "7"}))
            assert value("wrong") == "Who stands in: is no account that may decide."
            await browser.send(StandIns.lend({"to": "admin@example.com", "days": "7"}))
            (row,) = value("rows")
            assert (row.owner, row.stand_in, row.refusal) == ("Reviewer", "Admin", "")
            assert not value("opened")
            await browser.send(StandIns.end(row.id))
            assert value("rows") == []

    run(act())


def past(console: Console, count: int, job_type: str = "greet") -> list[str]:
    """Have people approve checkpoints of the type as proposed; return their ids."""
    made = [asked_of(console, job_type) for _ in range(count)]
    for checkpoint_id in made:
        console.services.review.decide(ROOT, checkpoint_id, Verdict(verb=CheckpointVerb.APPROVE))
    return made


def asked_of(console: Console, job_type: str = "greet") -> str:
    job_id = enqueue(console.db, job_type, actor=ROOT)
    key = next(one.key for one in claim(console.db, "w1", 50) if one.key.job_id == job_id)
    return put_up(console.db, key, replace(checkpoint(0), job_type=job_type, risk="LOW")).id


def test_what_is_suggested_is_tried_saved_by_a_person_and_stopped(console: Console) -> None:
    decided = past(console, 20)

    async def act() -> None:
        async with Browser(console.sign_in("admin"), "/review-policies") as browser:

            def value(name: str, state: Any = ReviewPolicies) -> Any:
                return browser.wire.value(state, name)

            await browser.send(ReviewPolicies.watch, wait=False)
            await browser.until(lambda: value("rows"))
            await browser.send(PolicyRules.load)
            (one,) = value("suggestions", PolicyRules)
            assert (one.job_type, one.up_to, one.refusal) == ("greet", "LOW", "")
            assert one.words.startswith("In 30 days 20 questions with no finding above LOW")
            assert one.rows[0].href == f"/admin/agent-checkpoints/{decided[-1]}"
            await browser.send(ReviewPolicies.suggest("greet", "", "LOW"))
            assert (value("asking"), value("form").automatic) == ("edit", "LOW")
            assert console.services.policies.get(ROOT, "greet").version == 0
            await browser.send(ReviewPolicies.try_rule())
            assert "would have approved 20, all approved as proposed" in value("tried").words
            await browser.send(ReviewPolicies.choose("NONE"))
            assert value("tried").words == ""
            await browser.send(ReviewPolicies.try_rule())
            assert "would have approved 0" in value("tried").words
            sent = {**typed(ReviewPolicy()), "automatic": "LOW"}
            await browser.send(ReviewPolicies.save(sent))
            assert value("rows")[1].automatic == "what has no finding above LOW"
            await browser.until(lambda: not value("suggestions", PolicyRules))
            asked_of(console)
            await browser.until(lambda: value("rows")[1].figures == "in 30 days: 1")
            await browser.send(PolicyRules.look("greet", ""))
            record = value("record", PolicyRules)
            assert (record.approved, record.live, len(record.latest)) == (1, True, 1)
            await browser.send(PolicyRules.stop({"reason": "x" * 501}))
            assert value("wrong", PolicyRules).startswith("Reason: ")
            await browser.send(PolicyRules.stop({"reason": "Wrong once"}))
            assert not value("opened", PolicyRules)
            await browser.until(lambda: value("rows")[1].automatic == "")

    run(act())
    assert console.services.policies.get(ROOT, "greet").terms.automatic == Automatic()


def test_a_card_that_was_approved_by_itself_says_so_and_can_stop_it(console: Console) -> None:
    console.services.policies.save(ROOT, "greet", Terms(automatic=Automatic(up_to="LOW")))
    checkpoint_id = asked_of(console)

    async def act() -> None:
        path = f"/admin/agent-checkpoints/{checkpoint_id}"
        async with Browser(console.sign_in("viewer"), path) as browser:
            await browser.send(Desk.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Desk, "loaded"))
            assert "checkpoints:decide" in browser.wire.value(Desk, "ruling").asked.stop_refusal
            await browser.send(PolicyRules.stop_of("greet", "", checkpoint_id))
        assert console.services.policies.get(ROOT, "greet").version == 1
        async with Browser(console.sign_in("reviewer"), path) as browser:
            await browser.send(Desk.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Desk, "loaded"))
            asked = browser.wire.value(Desk, "ruling").asked
            assert asked.by_itself == "Approved by the review policy, without a person."
            assert (asked.stops_type, asked.stop_refusal) == ("greet", "")
            await browser.send(PolicyRules.stop_of("greet", "", checkpoint_id))

    run(act())
    assert console.services.policies.get(ROOT, "greet").terms.automatic == Automatic()


def test_a_card_under_a_rule_in_shadow_says_so_once_it_is_decided(console: Console) -> None:
    shadow = Automatic(up_to="LOW", shadow=True)
    console.services.policies.save(ROOT, "greet", Terms(automatic=shadow))
    checkpoint_id = asked_of(console)
    detail = console.services.review.get(ROOT, checkpoint_id)
    assert asked(detail).by_itself == ""
    console.services.review.decide(ROOT, checkpoint_id, Verdict(verb=CheckpointVerb.APPROVE))
    view = asked(console.services.review.get(ROOT, checkpoint_id))
    assert "in shadow would have approved" in view.by_itself
    assert view.stops_type == ""


def test_a_group_is_made_changed_and_deleted_by_an_admin(console: Console) -> None:
    console.sign_in("reviewer")

    async def act() -> None:
        async with Browser(console.sign_in("admin"), "/review-policies") as browser:

            def value(name: str, state: Any = ReviewerGroups) -> Any:
                return browser.wire.value(state, name)

            await browser.send(ReviewerGroups.watch, wait=False)
            await browser.until(lambda: value("loaded"))
            await browser.send(ReviewerGroups.edit(""))
            boxes = {one.label: one.name for one in value("form").members}
            assert set(boxes) == {"Admin", "Reviewer"}
            await browser.send(ReviewerGroups.save({"name": " "}))
            assert value("wrong") == "Name: is required."
            await browser.send(ReviewerGroups.save({"name": "Security", boxes["Reviewer"]: "on"}))
            (row,) = value("rows")
            assert (row.name, row.members, value("opened")) == ("Security", "Reviewer", False)
            await browser.send(ReviewPolicies.watch, wait=False)
            await browser.until(lambda: value("rows", ReviewPolicies))
            labels: list[str] = []
            while "Group Security" not in labels:  # once the page's loop has seen the new group
                await browser.send(ReviewPolicies.edit("greet", ""))
                labels = [one.label for one in value("form", ReviewPolicies).deciders]
            await browser.send(ReviewerGroups.edit(row.id))
            await browser.send(ReviewerGroups.save({"name": "Security", boxes["Admin"]: "on"}))
            assert value("rows")[0].members == "Admin"
            await browser.send(ReviewerGroups.edit(row.id))
            await browser.send(ReviewerGroups.delete())
            assert value("rows") == []

    run(act())


def test_a_reviewer_changes_no_group(console: Console) -> None:
    made = console.services.groups.create(ROOT, "Security")

    async def act() -> None:
        async with Browser(console.sign_in("reviewer"), "/review-policies") as browser:
            await browser.send(ReviewerGroups.watch, wait=False)
            await browser.until(lambda: browser.wire.value(ReviewerGroups, "rows"))
            assert "policies:manage" in browser.wire.value(ReviewerGroups, "rows")[0].refusal
            await browser.send(ReviewerGroups.edit(made.id))
            await browser.send(ReviewerGroups.save({"name": "Mine"}))
            await browser.send(ReviewerGroups.delete())

    run(act())
    assert [one.name for one in console.services.groups.page(ROOT)] == ["Security"]
