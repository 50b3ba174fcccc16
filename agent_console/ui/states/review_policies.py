"""The review policies: what holds for which job type, and the dialog that saves a version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.review_policies import (
    ALL_TYPES,
    LIMITS,
    Automatic,
    Group,
    Person,
    PolicyBook,
    ReviewPolicy,
    deadline_words,
)
from agent_console.domain.rule_history import RuleRecord
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import guarded
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.params import text
from agent_console.ui.policy_forms import LABELS, PolicyForm, form_of, terms_of
from agent_console.ui.policy_views import title
from agent_console.ui.rule_views import TriedView, row_words, tried_view
from agent_console.ui.states.policy_rules import PolicyRules
from agent_console.ui.views import iso, shown

ANY = -1  # the version that a form was made from, where there was none to change


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """What holds for a job type or an action of it; ``own``: by a policy of exactly that.

    ``refusal`` says why nothing can be changed; empty where it can.
    """

    key: str = ""
    job_type: str = ""
    action: str = ""
    title: str = ""
    current: bool = False
    own: bool = False
    source: str = ""
    version: str = ""
    who: str = ""
    approvals: str = ""
    at_deadline: str = ""
    automatic: str = ""
    figures: str = ""
    more: str = ""
    note: str = ""
    saved_by: str = ""
    saved_at: str = ""
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version of the policy whose dialog is open."""

    key: str
    version: str
    saved_by: str
    saved_at: str
    said: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found: the policies that hold, the job types, and who may be named."""

    policies: list[ReviewPolicy]
    job_types: tuple[str, ...]
    people: list[Person]
    refusal: str
    records: list[RuleRecord] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)


def read(actor: Actor) -> Answer:
    """Read all policies; runs in a thread."""
    services, needed = bridge.services(), Permission.POLICIES_MANAGE
    may = actor.may(needed)
    known = {one.job_type for one in services.jobs.catalog(actor)}
    policies = services.policies.page(actor)
    return Answer(
        policies,
        tuple(sorted(known | {one.job_type for one in policies} - {ALL_TYPES})),
        services.policies.people(actor) if may else [],
        "" if may else refusal(needed),
        services.automatic.records(actor),
        [Group(one.id, shown(one.name, 120)) for one in services.groups.page(actor)],
    )


class ReviewPolicies(LiveState, rx.State):
    """The rows on the screen, and the dialog: "edit", "versions" or none."""

    rows: list[PolicyRow] = []
    job_types: list[str] = []
    asking: str = ""
    form: PolicyForm = PolicyForm()
    versions: list[VersionRow] = []
    tried: TriedView = TriedView()
    wrong: str = ""
    refusal: str = "Loading."
    _policies: dict[tuple[str, str], ReviewPolicy] = {}
    _people: list[Person] = []
    _groups: list[Group] = []
    _rule: str = ""  # what is chosen in the form now; for a new policy, of which type and action
    _target: tuple[str, str] = ("", "")

    @rx.event(background=True)
    @guarded(Permission.CHECKPOINTS_READ)
    async def watch(self) -> Any:
        """Follow the policies."""
        return await follow(self)

    @rx.event
    @guarded(Permission.POLICIES_MANAGE)
    def edit(self, job_type: str, action: str) -> None:
        """Open the form of a policy, with what holds now."""
        wanted = (str(job_type), str(action))
        if any((row.job_type, row.action) == wanted for row in self.rows):
            self._open(wanted)

    @rx.event
    @guarded(Permission.POLICIES_MANAGE)
    def suggest(self, job_type: str, action: str, up_to: str) -> None:
        """Open the form of a policy with what was suggested; nothing is saved by that."""
        if up_to in LIMITS:
            self._open((str(job_type), str(action)), str(up_to))

    def _open(self, wanted: tuple[str, str], up_to: str = "") -> None:
        policy = PolicyBook(self._policies.values()).of(*wanted)
        own = wanted in self._policies
        form = form_of(
            policy, self._people, title(replace(policy, job_type=wanted[0])), self._groups
        )
        base = policy.version if own else ANY
        key = " ".join((*wanted, str(base)))
        form = replace(form, key=key, job_type=wanted[0], action=wanted[1], base=base)
        if up_to:
            form = replace(form, key=f"{key} {up_to}", automatic=up_to)
        self._begin(form)

    def _begin(self, form: PolicyForm) -> None:
        self._rule, self._target = form.automatic, (form.job_type, form.action)
        self._put(asking="edit", form=form, wrong="", tried=TriedView())

    @rx.event
    @guarded(Permission.POLICIES_MANAGE)
    def add(self) -> None:
        """Open the form of a policy for one action of a job type."""
        form = form_of(
            PolicyBook(self._policies.values()).of(ALL_TYPES, ""), self._people, "", self._groups
        )
        kind = self.job_types[0] if self.job_types else ""
        self._begin(replace(form, new=True, base=ANY, key="new", job_type=kind))

    @rx.event
    @guarded(Permission.POLICIES_MANAGE)
    def choose(self, up_to: str) -> None:
        """Note what the form would have approved by itself."""
        self._rule = str(up_to)
        self._put(tried=TriedView())

    @rx.event
    @guarded(Permission.POLICIES_MANAGE)
    def aim_type(self, job_type: str) -> None:
        """Note of which job type a new policy is to be."""
        self._target = (str(job_type), self._target[1])

    @rx.event
    @guarded(Permission.POLICIES_MANAGE)
    def aim_action(self, action: str) -> None:
        """Note of which action a new policy is to be."""
        self._target = (self._target[0], str(action).strip())

    @rx.event
    @guarded(Permission.POLICIES_MANAGE)
    async def try_rule(self) -> None:
        """Say what the rule chosen in the form would have approved; saves nothing."""
        job_type, action = self._target
        found = await bridge.call(
            bridge.services().automatic.backtest,
            await self._actor(),
            job_type,
            Automatic(up_to=self._rule or None),
            action=action,
        )
        if isinstance(found, Failure):
            self._put(wrong=_complaint(found))
            return
        self._put(tried=tried_view(found), wrong="")

    @rx.event
    @guarded(Permission.CHECKPOINTS_READ)
    async def show_versions(self, job_type: str, action: str) -> None:
        """Open the list of a policy's versions."""
        service = bridge.services().policies
        actor = await self._actor()
        found = await bridge.call(service.versions, actor, str(job_type), str(action))
        if isinstance(found, Failure):
            await self._tell(found.notice)
            return
        self._put(asking="versions", versions=[_version(one) for one in found])

    @rx.event
    @guarded(Permission.CHECKPOINTS_READ)
    def turn(self, opened: bool) -> None:
        """Close the dialog."""
        if opened is not True:
            self._put(asking="", wrong="")

    @rx.event
    @guarded(Permission.POLICIES_MANAGE)
    async def save(self, form: dict[str, Any]) -> Any:
        """Save what the form holds as a new version."""
        job_type, action = self.form.job_type, self.form.action
        if self.form.new:
            job_type, action = str(form.get("jobType", "")), str(form.get("action", "")).strip()
        try:
            terms = terms_of(form)
        except ValueError as error:
            self._put(wrong=str(error))
            return None
        service, base = bridge.services().policies, self.form.base
        saved = await bridge.call(
            service.save,
            await self._actor(),
            job_type,
            terms,
            action=action,
            base_version=None if base == ANY else base,
        )
        return await self._done(saved, "saved: it holds from now on, for what is open already too.")

    @rx.event
    @guarded(Permission.POLICIES_MANAGE)
    async def remove(self) -> Any:
        """End the policy of the dialog: a more general one holds again."""
        service, form = bridge.services().policies, self.form
        done = await bridge.call(
            service.remove,
            await self._actor(),
            form.job_type,
            action=form.action,
            base_version=form.base,
        )
        return await self._done(done, "ended: a more general one holds again.")

    async def _done(self, done: ReviewPolicy | Failure, words: str) -> Any:
        """Say what became of it; return the event that makes the suggestions anew."""
        if isinstance(done, Failure):
            self._put(wrong=_complaint(done))
            return None
        self._put(asking="", wrong="")
        await self._tell(bridge.note("success", f"The review policy is {words}"))
        await self._reread(await self._actor())
        return PolicyRules.load

    def _ask(self, actor: Actor) -> Ask:
        return Ask(("review policies",), lambda: read(actor))

    def _show(self, answer: Answer) -> None:
        self._policies = {
            (one.job_type, one.action): one for one in answer.policies if one.id is not None
        }
        self._people, self._groups = answer.people, answer.groups
        wanted = text(self.router.url.query_parameters, "type")
        self._put(
            rows=rows_of(answer, wanted), job_types=list(answer.job_types), refusal=answer.refusal
        )


def rows_of(answer: Answer, wanted: str) -> list[PolicyRow]:
    """Return a row for all types, for each type, and for each action that has its own policy."""
    book = PolicyBook(answer.policies)
    keys = {(ALL_TYPES, "")} | {(one, "") for one in answer.job_types}
    keys |= {(one.job_type, one.action) for one in answer.policies}
    ordered = sorted(keys, key=lambda one: (one[0] != ALL_TYPES, *one))
    figures = {(one.policy.job_type, one.policy.action): one for one in answer.records}
    made = [_row(book, key, answer.refusal, wanted) for key in ordered]
    return [
        replace(one, figures=row_words(figures.get((one.job_type, one.action)))) for one in made
    ]


def _row(book: PolicyBook, key: tuple[str, str], may_not: str, wanted: str) -> PolicyRow:
    policy, terms = book.of(*key), book.of(*key).terms
    own = (policy.job_type, policy.action) == key and policy.id is not None
    source = "nothing saved: this holds" if policy.id is None else f"as {title(policy)}"
    return PolicyRow(
        key=" ".join(key),
        job_type=key[0],
        action=key[1],
        title=title(replace(policy, job_type=key[0], action=key[1])),
        current=bool(wanted) and key[0] == wanted,
        own=own,
        source="" if own else source,
        version=f"version {policy.version}" if own else "",
        who=shown(terms.deciders.words, 300),
        approvals=str(terms.required_approvals),
        at_deadline=deadline_words(terms),
        automatic="" if terms.automatic.up_to is None else terms.automatic.words,
        more=_more(policy),
        note=shown(terms.note, 500) if own else "",
        saved_by=shown(policy.saved_by_name, 120) if own else "",
        saved_at=iso(policy.saved_at) if own else "",
        refusal=may_not,
    )


def _more(policy: ReviewPolicy) -> str:
    terms = policy.terms
    said = (
        (not terms.veto, "no veto"),
        (not terms.bulk_allowed, "one by one"),
        (terms.self_approval is not None, f"self approval {terms.self_approval}"),
        (terms.undo_seconds is not None, f"undo {terms.undo_seconds} s"),
        (bool(terms.remind_seconds), f"reminders: {len(terms.remind_seconds)}"),
    )
    return ", ".join(words for holds, words in said if holds)


def _version(one: ReviewPolicy) -> VersionRow:
    terms = one.terms
    said = f"{terms.required_approvals} of {terms.deciders.words}; {deadline_words(terms)}"
    if terms.automatic.up_to is not None:
        said = f"{said}; approves by itself {terms.automatic.words}"
    return VersionRow(
        key=one.id or "",
        version=f"Version {one.version}",
        saved_by=shown(one.saved_by_name, 120),
        saved_at=iso(one.saved_at),
        said="ended" if one.removed else shown(": ".join(filter(None, (said, terms.note))), 600),
    )


def _complaint(failure: Failure) -> str:
    fields: Sequence[Any] = failure.fields
    if not fields:
        return failure.notice.text
    labels: Mapping[str, str] = LABELS
    return " ".join(
        f"{labels.get(one.field, labels.get(one.field.split('.')[0], one.field))}: {one.message}"
        for one in fields
    )
