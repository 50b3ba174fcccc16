"""The dialogs that cut or fork the record of the job on the screen."""

from __future__ import annotations

import json
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission
from agent_console.domain.forks import ForkRequest
from agent_console.domain.jobs import MAX_PRIORITY, MIN_PRIORITY
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import GuardedState, guarded
from agent_console.ui.params import job_in
from agent_console.ui.record_views import PlanView, cut_view, plan_view

NOT_JSON = "This is not a JSON object."
NO_NUMBER = f"Enter a number from {MIN_PRIORITY} to {MAX_PRIORITY}."


class Again(GuardedState, rx.State):
    """One dialog at a time: ``what`` is retry, resume, fail or fork; empty when none is open.

    ``plan`` says what would be kept and asked again; it is read anew whenever the input changes.
    """

    what: str = ""
    job: str = ""  # whose record it is about, whatever page is shown by now
    step: str = ""
    plan: PlanView = PlanView()
    error: str = ""
    input: str = ""
    description: str = ""
    priority: str = ""
    form_key: str = ""
    _position: int = 0
    _text: str = ""  # of the input as it is typed; ``input`` is how the form began
    _words: str = ""
    _once: str = ""  # idempotency key: sending the same dialog twice makes one job

    @rx.event
    @guarded(Permission.JOBS_CONTROL)
    async def retry_from(self, position: int) -> None:
        """Ask whether to retry from a step, and say what that drops."""
        self._open("retry", position)
        await self._look_at_cut()

    @rx.event
    @guarded(Permission.JOBS_CONTROL)
    async def resume_here(self) -> None:
        """Ask whether to go on with the code of now, and say what that drops."""
        self._open("resume", 0)
        await self._look_at_cut()

    @rx.event
    @guarded(Permission.JOBS_CONTROL)
    def give_up(self) -> None:
        """Ask for the reason with which to fail the job."""
        self._open("fail", 0)

    @rx.event
    @guarded(Permission.JOBS_CREATE)
    async def fork_from(self, position: int) -> None:
        """Offer a fork from a step, with the original's input to edit."""
        self._open("fork", position)
        actor, job_id = await self._who()
        job = await bridge.call(bridge.services().jobs.find, actor, job_id)
        if isinstance(job, Failure):
            self._fail(job)
            return
        self.input = json.dumps(job.input_data, indent=2, ensure_ascii=False)
        self.description, self.priority = job.task_description, str(job.priority)
        self._text, self._words = self.input, self.description
        await self._look_at_fork(ForkRequest(from_position=self._position))

    @rx.event
    @guarded(Permission.JOBS_CREATE)
    async def edit_input(self, text: str) -> None:
        """Say anew what is reused, with this input."""
        await self._edited(inputData=str(text))

    @rx.event
    @guarded(Permission.JOBS_CREATE)
    async def edit_description(self, text: str) -> None:
        """Say anew what is reused, with this description."""
        await self._edited(taskDescription=str(text))

    @rx.event
    @guarded(Permission.JOBS_CREATE)
    async def fork(self, form: dict[str, Any]) -> Any:
        """Make the fork and go to it."""
        request = self._wanted(form)
        if request is None:
            return None
        actor, job_id = await self._who()
        forks = bridge.services().forks
        done = await bridge.call(forks.fork, actor, job_id, request, idempotency_key=self._once)
        if isinstance(done, Failure):
            self._fail(done)
            return None
        self.what = ""
        return rx.redirect(f"/jobs/{done.job.id}")

    @rx.event
    @guarded(Permission.JOBS_CONTROL)
    async def confirm(self) -> None:
        """Cut the record as the open dialog says, and let the job go on."""
        actor, job_id = await self._who()
        rewinds = bridge.services().rewinds
        if self.what == "retry":
            done = await bridge.call(rewinds.retry_from, actor, job_id, self._position)
        elif self.what == "resume":
            done = await bridge.call(rewinds.resume_here, actor, job_id)
        else:
            return
        if isinstance(done, Failure):
            self._fail(done)
            return
        self.what = ""
        await self._tell(bridge.note("success", f"It goes on at step {done.cut.position + 1}."))

    @rx.event
    @guarded(Permission.JOBS_CONTROL)
    async def fail(self, form: dict[str, Any]) -> None:
        """Fail the job with the reason that was typed."""
        actor, job_id = await self._who()
        reason = str(form.get("reason", ""))
        done = await bridge.call(bridge.services().rewinds.fail, actor, job_id, reason)
        if isinstance(done, Failure):
            self._fail(done)
            return
        self.what = ""
        await self._tell(bridge.note("success", "The job is failed."))

    @rx.event
    @guarded(Permission.JOBS_READ)
    def close(self, open_: bool = False) -> None:
        """Close the dialog; nothing is done."""
        if open_ is not True:
            self.what = ""

    def _open(self, what: str, position: int) -> None:
        self.job, self._position = job_in(self.router.url.path), max(0, position)
        self.what, self.step = what, str(self._position + 1)
        self.plan, self.error = PlanView(), ""
        self.form_key = self._once = bridge.request_id()

    async def _who(self) -> tuple[Actor, str]:
        return await self._actor(), self.job

    def _fail(self, failure: Failure) -> None:
        fields = [f"{one.field}: {one.message}" for one in failure.fields]
        self.error = " ".join(fields) or failure.notice.text

    async def _look_at_cut(self) -> None:
        actor, job_id = await self._who()
        rewinds = bridge.services().rewinds
        if self.what == "retry":
            found = await bridge.call(
                rewinds.retry_from, actor, job_id, self._position, dry_run=True
            )
        else:
            found = await bridge.call(rewinds.resume_here, actor, job_id, dry_run=True)
        if isinstance(found, Failure):
            self._fail(found)
        else:
            self.plan = cut_view(found.cut)

    async def _edited(self, **changed: str) -> None:
        form = {"inputData": self._text, "taskDescription": self._words, **changed}
        self._text, self._words = form["inputData"], form["taskDescription"]
        request = self._wanted({**form, "priority": self.priority})
        if request is not None:
            await self._look_at_fork(request)

    async def _look_at_fork(self, request: ForkRequest) -> None:
        actor, job_id = await self._who()
        found = await bridge.call(bridge.services().forks.plan, actor, job_id, request)
        if isinstance(found, Failure):
            self._fail(found)
            return
        self.plan, self.error = plan_view(found), ""

    def _wanted(self, form: dict[str, Any]) -> ForkRequest | None:
        """Return the fork the form asks for; None where it cannot be, and ``error`` says why."""
        self.error = ""
        try:
            data = json.loads(str(form.get("inputData", "")))
        except ValueError:
            data = None
        typed = str(form.get("priority", "")).strip()
        if not isinstance(data, dict):
            self.error = NOT_JSON
        elif not (typed.isdecimal() and len(typed) < 4):
            self.error = NO_NUMBER
        if self.error:
            return None
        return ForkRequest(
            from_position=self._position,
            input_data=data,
            task_description=str(form.get("taskDescription", "")),
            priority=int(typed),
        )
