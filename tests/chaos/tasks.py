"""Jobs for workers that are told to stop: short ones, one that looks up, one that does not."""

from __future__ import annotations

import threading

from agent_console import JobContext, RetryPolicy, handler


@handler("brief", version="1", retry=RetryPolicy(max_attempts=50))
def brief(ctx: JobContext) -> str:
    """Do one thing, fast."""
    return ctx.step("one", lambda: "done")


@handler("polite", version="1", retry=RetryPolicy(max_attempts=50))
def polite(ctx: JobContext) -> int:
    """Do forty things one after the other; between two of them it hears that it is to stop."""
    for number in range(40):
        ctx.step(f"{number}", threading.Event().wait, 0.02)
    return 40


@handler("deaf", version="1", retry=RetryPolicy(max_attempts=50))
def deaf(ctx: JobContext) -> str:
    """Do one thing that takes longer than any worker waits."""
    ctx.step("long", threading.Event().wait, 3.0)
    return "heard nothing"
