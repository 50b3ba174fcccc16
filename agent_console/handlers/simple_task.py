"""``simple-task``: leaves one INFO checkpoint and completes; never waits."""

from __future__ import annotations

from pydantic import Field

from agent_console import JobContext, Json, handler
from agent_console.handlers.inputs import Input


class SimpleTask(Input):
    """One action for one user."""

    user_id: str = Field(
        min_length=1,
        max_length=200,
        title="User",
        description="Whom the action concerns.",
        examples=["user-42"],
    )
    action: str = Field(
        min_length=1,
        max_length=2_000,
        title="Action",
        description="What is done, in a few words.",
        examples=["send-welcome-email"],
    )


@handler(
    "simple-task",
    input=SimpleTask,
    version="1",
    title="Simple task",
    description="Carries out one action for one user and leaves a note of it. Does not wait.",
    examples=[{"userId": "user-42", "action": "send-welcome-email"}],
)
def simple_task(ctx: JobContext) -> dict[str, Json]:
    """Record the action and return who it concerned."""
    task: SimpleTask = ctx.input
    ctx.log(f"Carrying out {task.action!r} for {task.user_id!r}")
    facts: dict[str, Json] = {"userId": task.user_id, "action": task.action}
    ctx.info(f"Carried out {task.action} for {task.user_id}", facts)
    return {"success": True, **facts}
