"""Who may decide, how many have to agree, what the deadline brings: every combination."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest

from agent_console.domain.access import ROLE_PERMISSIONS, SYSTEM, Actor, Role, local_operator
from agent_console.domain.checkpoints import CheckpointVerb
from agent_console.domain.review_policies import (
    DECIDING_ROLES,
    DEFAULT,
    ENDS,
    MOVES,
    AtDeadline,
    Deadline,
    Person,
    PolicyBook,
    Reviewers,
    ReviewPolicy,
    Tally,
    Terms,
    Vote,
    agreeing,
    at_deadline,
    counts,
    deadline_words,
    deciders,
    due_reminder,
    fate,
    fate_words,
    needed,
    refusal,
    span_words,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)
ANA = Person(id="usr_ana", name="Ana")
APPROVE, REJECT, ASK = (
    CheckpointVerb.APPROVE,
    CheckpointVerb.REJECT,
    CheckpointVerb.REQUEST_CHANGES,
)


def actor(role: Role, user_id: str = "usr_x") -> Actor:
    return Actor(kind="user", id=user_id, role=role, permissions=ROLE_PERMISSIONS[role])


def policy(**terms: object) -> ReviewPolicy:
    return ReviewPolicy(id="pol_1", job_type="deploy", version=1, terms=Terms(**terms))  # type: ignore[arg-type]


def vote(
    user: str = "usr_1", verb: CheckpointVerb = APPROVE, digest: str = "d", **more: object
) -> Vote:
    given = {"role": Role.REVIEWER, **more}
    return Vote(user_id=user, user_name=user, verb=verb, digest=digest, at=AT, **given)  # type: ignore[arg-type]


def test_without_a_policy_everybody_with_the_permission_decides_alone() -> None:
    assert DECIDING_ROLES == (Role.REVIEWER, Role.ADMIN)
    for role in DECIDING_ROLES:
        assert refusal(DEFAULT, actor(role), escalated=False) == ""
    assert [needed(DEFAULT.terms, verb) for verb in (APPROVE, REJECT, ASK)] == [1, 1, 1]
    assert at_deadline(DEFAULT.terms, extensions=0, escalated=False) is AtDeadline.FAIL
    assert DEFAULT.terms.bulk_allowed
    assert (DEFAULT.terms.self_approval, DEFAULT.terms.undo_seconds) == (None, None)


@pytest.mark.parametrize(
    ("roles", "people", "role", "user", "may"),
    [
        ((Role.ADMIN,), (), Role.ADMIN, "usr_x", True),
        ((Role.ADMIN,), (), Role.REVIEWER, "usr_x", False),
        ((Role.ADMIN,), (ANA,), Role.REVIEWER, "usr_ana", True),
        ((), (ANA,), Role.REVIEWER, "usr_ana", True),
        ((), (ANA,), Role.ADMIN, "usr_x", False),
        ((Role.REVIEWER, Role.ADMIN), (), Role.REVIEWER, "usr_x", True),
    ],
)
def test_who_is_asked_is_a_role_or_a_person(
    roles: tuple[Role, ...], people: tuple[Person, ...], role: Role, user: str, may: bool
) -> None:
    asked = Reviewers(roles=roles, people=people)
    why_not = refusal(policy(deciders=asked), actor(role, user), escalated=False)
    assert (why_not == "") is may
    if not may:
        assert asked.words in why_not
        assert "deploy" in why_not


def test_the_server_itself_is_never_refused() -> None:
    nobody_else = policy(deciders=Reviewers(roles=(), people=(ANA,)))
    for one in (local_operator("root"), SYSTEM):
        assert refusal(nobody_else, one, escalated=False) == ""


@pytest.mark.parametrize(("then", "escalated"), list(product(AtDeadline, (False, True))))
def test_after_an_escalation_others_are_asked(then: AtDeadline, escalated: bool) -> None:
    to = Reviewers(roles=(), people=(ANA,))
    terms = Terms(deadline=Deadline(then=then, to=to))
    moved = escalated and then is AtDeadline.ESCALATE
    assert deciders(terms, escalated=escalated) == (to if moved else terms.deciders)


def test_the_most_exact_policy_holds() -> None:
    general = ReviewPolicy(id="pol_0", version=1)
    of_type = ReviewPolicy(id="pol_1", job_type="deploy", version=1)
    of_action = ReviewPolicy(id="pol_2", job_type="deploy", action="write", version=1)
    ended = ReviewPolicy(id="pol_3", job_type="old", version=2, removed=True)
    book = PolicyBook([of_action, ended, general, of_type])
    assert book.of("deploy", "write") is of_action
    assert book.of("deploy", "read") is of_type
    assert book.of("old", "") is general
    assert book.of("other", "write") is general
    assert PolicyBook([of_type]).of("other", "") is DEFAULT


@pytest.mark.parametrize(("number", "veto"), list(product((1, 2, 3), (True, False))))
def test_how_many_have_to_say_it(number: int, veto: bool) -> None:
    terms = Terms(required_approvals=number, veto=veto)
    assert needed(terms, APPROVE) == number
    assert needed(terms, REJECT) == (1 if veto else number)
    assert needed(terms, ASK) == 1


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("disabled", [False, True])
@pytest.mark.parametrize("named", [False, True])
def test_a_vote_counts_while_who_gave_it_could_decide(
    role: Role | None, disabled: bool, named: bool
) -> None:
    people = (Person(id="usr_1"),) if named else ()
    terms = Terms(deciders=Reviewers(roles=(Role.ADMIN,), people=people))
    can = role in DECIDING_ROLES and (role is Role.ADMIN or named)
    assert counts(vote(role=role, disabled=disabled), terms) is (can and not disabled)


def test_votes_of_before_an_escalation_and_of_the_server_count() -> None:
    terms = Terms(
        deciders=Reviewers(roles=(Role.REVIEWER,)),
        deadline=Deadline(then=AtDeadline.ESCALATE, to=Reviewers(roles=(Role.ADMIN,))),
    )
    assert counts(vote(role=Role.REVIEWER), terms)
    assert counts(vote(role=Role.ADMIN), terms)
    assert counts(vote("cli:root", role=None), terms)
    assert not counts(vote("usr_gone", role=None), terms)


def test_only_the_same_word_on_the_same_content_adds_up() -> None:
    given = [
        vote("a"),
        vote("b"),
        vote("c", verb=REJECT),
        vote("d", digest="other"),
        vote("e", disabled=True),
    ]
    assert [one.user_id for one in agreeing(given, Terms(), APPROVE, "d")] == ["a", "b"]
    assert [one.user_id for one in agreeing(given, Terms(), REJECT, "d")] == ["c"]
    assert [one.user_id for one in agreeing(given, Terms(), APPROVE, "other")] == ["d"]


@pytest.mark.parametrize(
    ("then", "last", "extensions", "escalated"),
    list(product(AtDeadline, ENDS, range(4), (False, True))),
)
def test_what_happens_at_the_deadline(
    then: AtDeadline, last: AtDeadline, extensions: int, escalated: bool
) -> None:
    terms = Terms(deadline=Deadline(then=then, seconds=60, times=2, last=last))
    found = at_deadline(terms, extensions=extensions, escalated=escalated)
    if then in ENDS:
        assert found is then
    elif then is AtDeadline.EXTEND:
        assert found is (AtDeadline.EXTEND if extensions < 2 else last)
    else:
        assert found is (last if escalated else AtDeadline.ESCALATE)
    policy = ReviewPolicy(id="pol_1", terms=terms)
    words = fate_words(policy, extensions=extensions, escalated=escalated)
    assert ("after that" in words) is (found in MOVES)
    assert "default" not in words, "what is no question has none"
    if (extensions, escalated) == (0, False):
        assert ("after that" in deadline_words(terms)) is (found in MOVES)


@pytest.mark.parametrize(
    ("then", "asks", "has_default"), list(product(AtDeadline, (False, True), (False, True)))
)
def test_what_happens_to_a_question(then: AtDeadline, asks: bool, has_default: bool) -> None:
    has_default = asks and has_default
    policy = ReviewPolicy(id="pol_1", terms=Terms(deadline=Deadline(then=then, seconds=60)))
    found = fate(policy, asks=asks, has_default=has_default)
    if then is AtDeadline.DEFAULT or (asks and then is AtDeadline.APPROVE):
        assert found is (AtDeadline.DEFAULT if has_default else AtDeadline.FAIL)
    else:
        assert found is then
    said = fate_words(policy, asks=asks, has_default=has_default)
    assert ("the default answer is given" in said) is (found is AtDeadline.DEFAULT)
    unbound = AtDeadline.DEFAULT if has_default else AtDeadline.FAIL
    assert fate(DEFAULT, asks=asks, has_default=has_default) is unbound


def test_no_deadline_moves_for_ever() -> None:
    for then in MOVES:
        terms = Terms(deadline=Deadline(then=then, seconds=60, times=3))
        extensions, escalated = 0, False
        for _ in range(4):
            what = at_deadline(terms, extensions=extensions, escalated=escalated)
            extensions += what is AtDeadline.EXTEND
            escalated = escalated or what is AtDeadline.ESCALATE
        assert at_deadline(terms, extensions=extensions, escalated=escalated) is AtDeadline.FAIL


@pytest.mark.parametrize(
    ("left", "reminded", "due"),
    [
        (4000, None, None),
        (3600, None, 3600),
        (3000, None, 3600),
        (3000, 3600, None),
        (600, 3600, 600),
        (10, None, 600),
        (10, 600, None),
    ],
)
def test_the_latest_reminder_that_is_due_is_given_once(
    left: float, reminded: int | None, due: int | None
) -> None:
    assert due_reminder(Terms(remind_seconds=(3600, 600)), left, reminded) == due
    assert due_reminder(Terms(), left, reminded) is None


def test_words() -> None:
    asked = Reviewers(roles=(Role.ADMIN,), people=(ANA, Person(id="usr_ray")))
    assert asked.words == "admins, Ana or usr_ray"
    assert Reviewers(roles=()).words == "nobody"
    assert Tally(verb=APPROVE, given=1, needed=2).words == "1 of 2 approvals"
    assert Tally(verb=REJECT, given=1, needed=2).words == "1 of 2 rejections"
    assert [span_words(n) for n in (60, 90, 3600, 86_400, 172_800, 0)] == [
        "1 minute",
        "90 seconds",
        "1 hour",
        "1 day",
        "2 days",
        "no time",
    ]
