"""The desk: what waits, the card that is open, and the verdicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from agent_console.domain.access import Actor, Permission
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.jobs import Json
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure, Notice
from agent_console.ui.company import Company, Seat
from agent_console.ui.components import review_build as build
from agent_console.ui.components.review_models import (
    BodyView,
    ContextView,
    RowView,
    RulingView,
    TabView,
    UndoView,
)
from agent_console.ui.guard import GuardedState, guarded
from agent_console.ui.live import Ask, follow, unmoved_by_runs
from agent_console.ui.params import MAX_TEXT, DeskParams
from agent_console.ui.states import comments
from agent_console.ui.states.answers import AnswerForm
from agent_console.ui.states.desk_reads import (
    BASE,
    DeskCard,
    DeskList,
    Opened,
    Place,
    read_card,
    read_list,
)
from agent_console.ui.states.verdict_form import VerdictForm, parse_edited, parsed
from agent_console.ui.views import iso

SOON = 15.0  # seconds after which a card is read again while somebody else looks at it
_COMPANY = Company()
DONE_WORDS = {
    CheckpointVerb.APPROVE: "Approved",
    CheckpointVerb.ANSWER: "Answered",
    CheckpointVerb.REQUEST_CHANGES: "Changes requested",
    CheckpointVerb.REJECT: "Rejected",
}


class Desk(comments.CommentThread, AnswerForm, GuardedState, rx.State):
    """State of the Checkpoints page. ``in_path``: the address names a checkpoint."""

    rows: list[RowView] = []
    news: int = 0  # checkpoints that wait to join the list, which holds still
    tabs: list[TabView] = []
    job_types: list[str] = []
    job_type: str = ""
    q: str = ""
    filtered: bool = False
    next_href: str = ""
    first_href: str = ""
    clear_href: str = BASE
    announcement: str = ""
    body: BodyView = BodyView()
    ruling: RulingView = RulingView()
    context: ContextView = ContextView()
    upcoming: str = ""
    in_path: bool = False
    missing: bool = False
    conflict: str = ""
    reason_error: str = ""
    edit_error: str = ""
    changes_error: str = ""
    may_not: str = "Loading."
    undoable: UndoView = UndoView()
    _digests: dict[str, str] = {}  # of what the rows on the screen show
    # What is on the screen as it is, the list where it is not held still; in tuples, for Reflex
    # puts a proxy before anything else, which would never be the same as what was read.
    _listed: tuple[DeskList, ...] = ()
    _laid_out_card: tuple[DeskCard, ...] = ()
    _place: Place = Place("", DeskParams(), "")  # as the address was when it was last looked at
    _waiting: tuple[tuple[str, str], ...] = ()  # of the rows that wait: id and address
    _first: str = ""  # the card that is opened where nothing else says which
    _shown: DeskParams | None = None  # what the rows on the screen are the answer to
    _focused: bool = False  # somebody moves within the list
    _picking: bool = False
    _pinned: str = ""
    _undoable: tuple[str, ...] = ()
    _address: str = ""
    _seat: str = ""  # of the loop, among those that show a card

    @rx.event(background=True)
    @guarded(Permission.CHECKPOINTS_READ)
    async def watch(self) -> EventSpec | None:
        """Follow the list and the open card until the page is left."""
        async with self:
            self._arrive()
            seat = self._seat = bridge.request_id()
        _COMPANY.begin(seat)
        try:
            return await follow(self)
        finally:
            _COMPANY.end(seat)

    @rx.event
    @guarded(Permission.CHECKPOINTS_READ)
    async def choose_type(self, job_type: str) -> EventSpec:
        """Show the checkpoints of one job type; "all" for every type."""
        chosen = "" if job_type == "all" else str(job_type)[:100]
        return rx.redirect(self._params().url(job_type=chosen, cursor=""))

    @rx.event
    @guarded(Permission.CHECKPOINTS_READ)
    async def search(self, form: dict[str, Any]) -> EventSpec:
        """Put the typed search into the address."""
        wanted = str(form.get("q", "")).strip()[:MAX_TEXT]
        return rx.redirect(self._params().url(q=wanted, cursor=""))

    @rx.event
    @guarded(Permission.CHECKPOINTS_READ)
    async def hold(self, focused: bool) -> None:
        """Keep the rows in their places while somebody moves among them."""
        self._focused = focused is True
        if not self._focused and not self._picking:
            await self._reread(await self._actor())

    @rx.event
    @guarded(Permission.CHECKPOINTS_READ)
    async def let_in(self) -> None:
        """Show the list as it is now, and hold it there."""
        self._shown = None
        await self._reread(await self._actor())

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def approve(self, form: dict[str, Any]) -> EventSpec | None:
        """Approve what is on the screen."""
        said = VerdictForm.read(form)
        return await self._decide(said, said.verdict(CheckpointVerb.APPROVE))

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def approve_edited(self, form: dict[str, Any]) -> EventSpec | None:
        """Approve other data than proposed; what cannot be parsed is said at the field."""
        said = VerdictForm.read(form)
        try:
            edited: Json = parse_edited(said.edited)
        except ValueError as error:
            self.edit_error = str(error)
            return None
        return await self._decide(said, said.verdict(CheckpointVerb.APPROVE, edited))

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def approve_form(self, form: dict[str, Any]) -> EventSpec | None:
        """Approve what the fields of the edit hold; what is wrong is said at its field."""
        said = self._edited(form)
        return None if said is None else await self._decide(*said)

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def answer(self, form: dict[str, Any]) -> EventSpec | None:
        """Answer the question on the screen; what is wrong is said at its field."""
        said = self._answered(form)
        return None if said is None else await self._decide(*said)

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def reject(self, form: dict[str, Any]) -> EventSpec | None:
        """Reject what is on the screen, with a reason."""
        said = VerdictForm.read(form)
        if not said.reason:
            self.reason_error = "Say why: the agent and the journal need a reason."
            return None
        return await self._decide(said, said.verdict(CheckpointVerb.REJECT))

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def request_changes(self, form: dict[str, Any]) -> EventSpec | None:
        """Send back what is on the screen, with what the next round should be like."""
        said = VerdictForm.read(form)
        if not said.feedback:
            self.changes_error = "Say what should change: the next round is made from it."
            return None
        return await self._decide(said, said.verdict(CheckpointVerb.REQUEST_CHANGES))

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def claim(self, take_over: bool) -> None:
        """Claim the open checkpoint, with ``take_over`` from somebody else."""
        await self._about_open(bridge.services().claims.claim, take_over=take_over is True)

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def undo(self) -> EventSpec | None:
        """Take back what was decided last, and open it again."""
        if not self._undoable:
            return None
        actor, asked = await self._actor(), self._undoable
        outcome = await bridge.call(bridge.services().review.undo_many, actor, asked)
        self._may_undo("", (), "")
        if isinstance(outcome, Failure):
            await self._tell(outcome.notice)
        else:
            await self._tell(_undone(len(outcome), len(asked)))
            if outcome and self.in_path:
                return self._go_to(outcome[0])
            if outcome:
                self._pinned = outcome[0]
        await self._reread(actor)
        return None

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def withdraw(self) -> None:
        """Take back what was said of the open checkpoint, which others have to agree on still."""
        await self._about_open(bridge.services().review.undo)

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def release(self) -> None:
        """Give the open checkpoint back."""
        await self._about_open(bridge.services().claims.release)

    async def _about_open(self, use_case: Callable[..., object], **how: bool) -> None:
        actor = await self._actor()
        outcome = await bridge.call(use_case, actor, self.body.id, **how)
        if isinstance(outcome, Failure):
            await self._tell(outcome.notice)
        await self._reread(actor)

    async def _decide(self, said: VerdictForm, verdict: Verdict) -> EventSpec | None:
        actor = await self._actor()
        decide = bridge.services().review.decide_once
        hold = bridge.settings().undo_seconds
        outcome = await bridge.call(decide, actor, said.checkpoint_id, verdict, hold=hold)
        if isinstance(outcome, Failure):
            await self._refused(actor, outcome, verdict.verb)
            return None
        point, told = (
            outcome.checkpoint,
            f"{DONE_WORDS[verdict.verb]}: {outcome.checkpoint.job_type}",
        )
        if outcome.tally is not None:
            told = f"Your word counts: {outcome.tally.words}. More people have to agree."
        until = iso(point.undo_until)
        if not until:
            await self._tell(bridge.note("success", told))
        self._may_undo(told, (point.id,), until)
        return await self._advance(actor, said.checkpoint_id)

    def _may_undo(self, text: str, checkpoint_ids: tuple[str, ...], until: str) -> None:
        """Offer to take back what was just decided; ``until`` is "" where it cannot be."""
        self._put(undoable=UndoView(text=text if until else "", until=until))
        self._undoable = checkpoint_ids if until else ()

    async def _refused(self, actor: Actor, failure: Failure, verb: CheckpointVerb) -> None:
        """Show why nothing was done: at the field, on the card, or as a notice."""
        wrong = {one.field: one.message for one in failure.fields}
        asked = verb is CheckpointVerb.REQUEST_CHANGES
        edits = [
            f"{field.removeprefix('editedData').strip('.')} {message}".strip()
            for field, message in wrong.items()
            if field.startswith("editedData")
        ]
        self._put(
            reason_error=wrong.get("reason", ""),
            edit_error="; ".join(edits),
            changes_error=wrong.get("feedback", "") if asked else "",
            conflict=failure.notice.text if failure.code == "conflict" else "",
        )
        self._refuse_edit(failure.fields)
        told = self.reason_error or self.edit_error or self.changes_error or self.conflict
        if not self._refuse_answer(failure.fields) and not told:
            await self._tell(failure.notice)
        await self._reread(actor)

    async def _advance(self, actor: Actor, decided: str) -> EventSpec | None:
        """Open what comes after ``decided``; the address follows when it names a checkpoint."""
        ids = [row.id for row in self.rows if row.pending or row.id == decided]
        place = ids.index(decided) if decided in ids else -1
        rest = [*ids[place + 1 :], *ids[: max(place, 0)]]
        self._pinned = rest[0] if rest else ""
        if not self.in_path:
            await self._reread(actor)
            return None
        return self._go_to(rest[0] if rest else "")

    def _go_to(self, checkpoint_id: str) -> EventSpec:
        """Return the way to the card of a checkpoint, or ("") to the desk, as it is filtered."""
        path = f"{BASE}/{checkpoint_id}" if checkpoint_id else BASE
        return rx.redirect(self._params().url(path), replace=True)

    def _params(self) -> DeskParams:
        return self._where().params

    def _where(self) -> Place:
        """Return what the address says now; it is taken apart once."""
        url = self.router.url
        if self._place.url is not url:
            named = str(url.path).removeprefix(BASE).strip("/")[:100]
            self._place = Place(url, DeskParams.parse(url.query_parameters), named)
        return self._place

    def _open_id(self) -> str:
        return self.body.id

    def _opened(self, place: Place) -> Opened:
        """Return which card belongs on the screen: the address's, the one it held, or the first."""
        return Opened(place.named or self._pinned or self._first, self._comments_shown)

    def _arrive(self) -> None:
        """Keep the open card over a reconnection, unless its verdict has been seen already."""
        address = f"{self.router.url.path}?{self.router.url.query}"
        if address != self._address or not self.ruling.pending:
            self._pinned = ""
        self._address = address

    def _ask(self, actor: Actor) -> Ask:
        params = self._params()
        return Ask(("desk", params), lambda: read_list(actor, params), still=unmoved_by_runs)

    def _ask_next(self, actor: Actor, answer: DeskList | DeskCard) -> Ask | None:
        # Every look at the address costs: this comes with ``_show``, which has just had one.
        if isinstance(answer, DeskCard) or answer.params != self._place.params:
            return None
        opened = self._opened(self._place)
        page = self.router.session.client_token
        _COMPANY.take(self._seat, Seat(page, actor, opened.checkpoint_id))
        every = SOON if self.ruling.watched else 30.0  # nobody tells of those who just vanish
        return Ask(
            ("card", opened, actor.id),
            lambda: read_card(actor, opened),
            every=every,
            still=lambda card, change: not change.concerns(card.body.job_id),
            unseen=True,
            own=True,
        )

    def _show(self, answer: DeskList | DeskCard) -> None:
        # Where the reader has moved on, the next answer is on its way.
        place = self._where()
        if isinstance(answer, DeskCard):
            if answer.opened == self._opened(place):
                self._show_card(answer, in_path=bool(place.named))
        elif answer.params == place.params:
            self._show_list(answer)

    def _show_list(self, answer: DeskList) -> None:
        if self._listed and self._listed[0] is answer:
            return
        params, rows, news = answer.params, answer.rows, 0
        self._listed = (answer,)
        if params == self._shown and (self._focused or self._picking):
            rows, news = build.steady(self.rows, rows)
            self._listed = ()
        self._shown = params
        self._first = answer.rows[0].id if answer.rows else ""
        self._waiting = tuple((row.id, row.href) for row in rows if row.pending)
        self._put(
            rows=rows,
            news=news,
            tabs=answer.tabs,
            _digests=answer.digests,
            may_not=answer.refusal,
            job_types=answer.job_types,
            job_type=params.job_type or "all",
            q=params.q,
            filtered=params != DeskParams(),
            next_href=answer.next_href,
            first_href=params.url(cursor="") if params.cursor else "",
            announcement=answer.announcement,
        )

    def _show_card(self, answer: DeskCard, *, in_path: bool) -> None:
        detail = answer.detail
        self._put(in_path=in_path, missing=in_path and detail is None)
        opened = detail.checkpoint.id if detail else ""
        self._put(upcoming=next((href for id_, href in self._waiting if id_ != opened), ""))
        if opened != self.body.id:
            self._put(conflict="", reason_error="", edit_error="", changes_error="")
            self._begin_thread(detail.checkpoint if detail else None)
        self._pinned = "" if in_path else opened
        if self._laid_out_card and self._laid_out_card[0] is answer:
            return
        self._laid_out_card = (answer,)
        edited = parsed(answer.ruling.asked.edit_text or answer.body.edit_text) if detail else None
        self._lay_out(detail, edited)
        self._put(
            body=answer.body,
            ruling=answer.ruling,
            context=answer.context,
            thread=answer.thread,
        )


def _undone(done: int, asked: int) -> Notice:
    if done == asked:
        return bridge.note("success", "Undone: nothing is decided.")
    late = asked - done
    return bridge.note("warning", f"{done} undone; {late} went on already and cannot be undone.")
