"""The job types that are measured: nothing to do, and one question to ask."""

from __future__ import annotations

import threading
import time

from pydantic import BaseModel

from agent_console import JobContext, handler

started: dict[str, float] = {}  # job id → monotonic time; the clock is the machine's, not ours
resumed: dict[str, float] = {}
ended: list[float] = []
first_start = threading.Event()


@handler("bench-noop", version="1")
def noop(ctx: JobContext) -> None:
    """Do nothing, and say when."""
    started[ctx.job.id] = time.monotonic()
    first_start.set()


@handler("bench-nothing", version="1")
def nothing(_ctx: JobContext) -> None:
    """Do nothing, and say when, like the peers' handlers: without a look at the job."""
    ended.append(time.monotonic())
    first_start.set()


@handler("bench-ask", version="1")
def ask(ctx: JobContext) -> None:
    """Wait for an approval, and say when it arrived."""
    ctx.approve("Go on?", action="bench")
    resumed[ctx.job.id] = time.monotonic()


@handler("bench-workflow", version="1")
def workflow(ctx: JobContext) -> int:
    """Take two recorded steps, wait for an approval, take a third."""
    first = ctx.step("first", int, 1)
    second = ctx.step("second", int, 2)
    ctx.approve("Go on?", action="bench")
    resumed[ctx.job.id] = time.monotonic()
    third = ctx.step("third", int, 3)
    return first + second + third


@handler("bench-long", version="1")
def long(ctx: JobContext) -> None:
    """Say on standard output that the run begins, and take a minute."""
    print(f"{ctx.job.id} {time.monotonic()}", flush=True)
    time.sleep(60)


class Mail(BaseModel):
    """What a reviewer may change before it goes out."""

    subject: str
    body: str


@handler("bench-mail", version="1")
def mail(ctx: JobContext) -> str:
    """Ask whether a mail may go out, as it is or as it was edited."""
    proposed = {"subject": "Your oder", "body": "It ships on Monday."}
    said = ctx.approve("Send this mail?", data=proposed, action="Send a mail", edit=Mail)
    return str(said.data)
