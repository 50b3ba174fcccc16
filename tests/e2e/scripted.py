"""A job type whose code is a file of the workspace, so that a test can change the code at will."""

from __future__ import annotations

from agent_console import JobContext, Json, RetryPolicy, handler


@handler(
    "scripted",
    version="1",
    title="Scripted",
    description="Does line by line what a file says: a call of the record and its name.",
    retry=RetryPolicy(max_attempts=1),
)
def scripted(ctx: JobContext) -> dict[str, Json]:
    """Make the calls the script of ``input["script"]`` names: step, approve or fail, and a name."""
    lines = (ctx.workspace.read(str(ctx.input["script"])) or "").splitlines()
    for call, name in (line.split(" ", 1) for line in lines):
        if call == "fail":
            raise ValueError(name)
        if call == "approve":
            ctx.approve(f"{name}?", action=name, data=ctx.input)
        else:
            ctx.step(name, len, name)
    return {"lines": len(lines)}
