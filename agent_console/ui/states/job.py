"""One job: what it is, what happened to it, and what may be done with it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission
from agent_console.domain.records import LogLevel
from agent_console.domain.visible import reveal
from agent_console.services.jobs import FAIL, FORK, Action
from agent_console.ui import bridge
from agent_console.ui.artifact_views import ArtifactBody, artifact_body
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import guarded
from agent_console.ui.job_views import (
    ArtifactRow,
    CheckpointRow,
    Happening,
    JobView,
    LogRow,
    artifact_row,
    checkpoint_row,
    job_view,
    log_row,
    timeline,
)
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.params import job_in
from agent_console.ui.record_views import (
    ForkRow,
    RecordView,
    StepRow,
    fork_row,
    record_view,
    step_rows,
)
from agent_console.ui.replay_views import obstacle
from agent_console.ui.views import limits_of, shown

ACTIONS: dict[Action, str] = {
    "execute": "The job is in the queue.",
    "cancel": "The job is canceled.",
    "retry": "The job is back in the queue.",
    "pause": "The job is paused.",
    "resume": "The job goes on.",
}
OTHERS = (FAIL, FORK, "replay")  # what other states do
_LEVELS = [level.value for level in LogLevel]
NO_TITLE = "Job · agent_console"


class JobPage(LiveState, rx.State):
    """The job on the screen. ``refusals`` says for each action why not; empty where allowed.

    ``live`` is the end of what its run has written so far, ``writing`` says that it goes on.
    """

    job: JobView = JobView()
    title: str = NO_TITLE
    refusals: dict[str, str] = {str(action): "Loading." for action in (*ACTIONS, *OTHERS)}
    happenings: list[Happening] = []
    steps: list[StepRow] = []
    record: RecordView = RecordView()
    forks: list[ForkRow] = []
    checkpoints: list[CheckpointRow] = []
    artifacts: list[ArtifactRow] = []
    logs: list[LogRow] = []
    limits: str = ""
    live: str = ""
    writing: bool = False
    level: str = "DEBUG"
    following: bool = True
    opened: str = ""
    opened_body: ArtifactBody = ArtifactBody()
    _lines: list[LogRow] = []

    @rx.event(background=True)
    @guarded(Permission.JOBS_READ)
    async def watch(self) -> Any:
        """Follow the job in the address."""
        return await follow(self)

    @rx.event
    @guarded(Permission.JOBS_CONTROL)
    async def control(self, action: str) -> None:
        """Do ``action`` to the job in the address."""
        verb = next((one for one in ACTIONS if one == action), None)
        if verb is None:
            return
        actor = await self._actor()
        jobs = bridge.services().jobs
        done = await bridge.call(jobs.control, actor, self._job_id(), verb)
        if isinstance(done, Failure):
            await self._tell(done.notice)
        else:
            await self._tell(bridge.note("success", ACTIONS[verb]))

    @rx.event
    @guarded(Permission.JOBS_READ)
    def set_level(self, level: str) -> None:
        """Show log lines from ``level`` upwards."""
        if level in _LEVELS:
            self.level = level
            self.logs = self._filtered()

    @rx.event
    @guarded(Permission.JOBS_READ)
    def set_following(self, following: bool) -> None:
        """Keep the log at its end, or leave it where it is."""
        self.following = following is True

    @rx.event
    @guarded(Permission.ARTIFACTS_READ)
    async def open_artifact(self, artifact_id: str) -> None:
        """Show the content of an artifact below its row; the same again closes it."""
        if artifact_id == self.opened:
            self.opened, self.opened_body = "", ArtifactBody()
            return
        artifacts = bridge.services().artifacts
        found = await bridge.call(artifacts.get, await self._actor(), str(artifact_id))
        if isinstance(found, Failure):
            await self._tell(found.notice)
            return
        self.opened, self.opened_body = found.id, artifact_body(found)

    def _job_id(self) -> str:
        return job_in(self.router.url.path)

    def _ask(self, actor: Actor) -> Ask:
        job_id = self._job_id()
        if job_id != self.job.id:
            self._put(title=NO_TITLE)
        return Ask(("job", job_id), lambda: _read(actor, job_id), subject=job_id, every=5.0)

    def _show(self, answer: dict[str, Any]) -> None:
        values = dict(answer)
        if values["job"].id != self.job.id:
            self._put(opened="", opened_body=ArtifactBody(), live="")
        text = values.pop("preview")
        # Between two answers the last one stays: what is below must not jump.
        kept = self.live if values["job"].status == "RUNNING" else ""
        self._put(live=text or kept, writing=text != "")
        self._lines = values.pop("logs")
        self._put(**values, logs=self._filtered())

    def _filtered(self) -> list[LogRow]:
        least = _LEVELS.index(self.level)
        return [line for line in self._lines if _LEVELS.index(line.level) >= least]


def _read(actor: Actor, job_id: str) -> dict[str, Any]:
    detail = bridge.services().jobs.get(actor, job_id)
    job = detail.job
    view = job_view(job, detail.checkpoints, detail.usage, detail.origin, detail.held)
    catalog = bridge.services().jobs.catalog(actor)
    return {
        "job": view,
        "limits": next((limits_of(one) for one in catalog if one.job_type == job.job_type), ""),
        "title": f"{shown(view.title, 60)} · agent_console",
        "refusals": {name: detail.allowed[name] for name in (*ACTIONS, FAIL, FORK)}
        | {"replay": obstacle(actor, job)},
        "happenings": timeline(detail.timeline, detail.steps, detail.checkpoints),
        "steps": step_rows(detail),
        "record": record_view(detail),
        "forks": [fork_row(one) for one in detail.forks],
        "checkpoints": [checkpoint_row(one) for one in detail.checkpoints],
        "artifacts": [artifact_row(one) for one in detail.artifacts],
        "logs": [log_row(line) for line in detail.logs],
        "preview": reveal(detail.preview.text).text if detail.preview else "",
    }
