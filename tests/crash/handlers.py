"""Jobs as people write them: steps with effects, notes, artifacts, reviews, retries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from agent_console import AsyncJobContext, Expired, JobContext, Limit, RetryPolicy, handler
from agent_console.domain.jobs import NewJob
from tests.crash.sink import Sink

# Kills cost attempts, and a campaign kills the same job many times.
STUBBORN = RetryPolicy(max_attempts=10_000, base=0.01, cap=0.02)
USED = (100, 10, 0.001)  # tokens in and out, and US dollars, of the agent's one call
BRIEF = timedelta(milliseconds=150)

_sinks: list[Sink] = []


def use(sink: Sink) -> None:
    """Let the handlers of this process have their effects in ``sink``."""
    _sinks[:] = [sink]


def sink() -> Sink:
    return _sinks[0]


@handler("deploy", version="1", retry=STUBBORN)
def deploy(ctx: JobContext) -> dict[str, Any]:
    """Build, show, wait for approval, then do it."""
    ctx.log("starting", attempt=ctx.job.attempt)
    built = ctx.step("build", sink().apply, ctx.idempotency_key, "build")
    ctx.info("Built", data=built)
    plan = ctx.artifact("plan.txt", f"deploy {built['key']}", metadata={"built": True})
    decision = ctx.approve("Deploy this?", data={"built": built, "plan": plan}, action="deploy")
    ctx.progress(0.5, "approved")
    done = ctx.step(
        "apply", sink().apply, ctx.idempotency_key, "apply", checkpoint_id=decision.checkpoint_id
    )
    ctx.info("Deployed")
    return {"done": done, "by": decision.approved_by}


@handler("publish", version="1", retry=STUBBORN)
async def publish(ctx: AsyncJobContext) -> str:
    """Wait for two approvals, without a thread of its own."""
    await ctx.step("build", sink().apply, ctx.idempotency_key, "build")
    await ctx.approve("The draft?", data={"draft": 1}, action="draft")
    decision = await ctx.approve("And the text?", data={"text": 2}, action="publish")
    await ctx.step(
        "apply", sink().apply, ctx.idempotency_key, "apply", checkpoint_id=decision.checkpoint_id
    )
    return "published"


@handler("hurry", version="1", retry=STUBBORN)
def hurry(ctx: JobContext) -> str:
    """Ask with little patience, and go on without an answer."""
    try:
        ctx.approve("Quick, may I?", action="hurry", expires_in=BRIEF)
    except Expired:
        ctx.error("Nobody answered")
        return "gave up"
    return "allowed"


@handler("flaky", version="1", retry=STUBBORN)
def flaky(ctx: JobContext) -> int:
    """Fail on the first attempt, after a step that must not be repeated."""
    ctx.step("build", sink().apply, ctx.idempotency_key, "build")
    if ctx.job.attempt == 1:
        raise ConnectionError("not yet")
    ctx.artifact("result.txt", "made it")
    return ctx.job.attempt


@handler("quick", version="1", retry=STUBBORN)
def quick(ctx: JobContext) -> None:
    """Do one thing, fast."""
    ctx.step("build", sink().apply, ctx.idempotency_key, "build")


@handler("agent", version="1", retry=STUBBORN)
def agent(ctx: JobContext) -> str:
    """Call a model, tell what it cost, and go on by leave of the policy."""
    ctx.step("build", sink().apply, ctx.idempotency_key, "build")
    ctx.usage("house/model", *USED)
    decision = ctx.approve("May I?", data={"n": 1}, action="apply")
    ctx.step(
        "apply", sink().apply, ctx.idempotency_key, "apply", checkpoint_id=decision.checkpoint_id
    )
    return decision.approved_by


def bed(_input: object) -> str:
    """Return the lane of a nap: there is one bed."""
    return "bed"


@handler("nap", version="1", retry=STUBBORN, limit=Limit(running=2, per_key=1, key=bed))
def nap(ctx: JobContext) -> str:
    """Sleep between two effects."""
    ctx.step("build", sink().apply, ctx.idempotency_key, "build")
    ctx.sleep(0.02)
    ctx.step("apply", sink().apply, ctx.idempotency_key, "apply")
    return "rested"


@handler("call", version="1", retry=STUBBORN)
def call(ctx: JobContext) -> str:
    """Ask somebody outside, and wait for the answer."""
    answer = ctx.callback("answer")

    def ask(key: str) -> dict[str, str]:
        return sink().ask(key, ctx.job.id, answer.token())

    ctx.step("build", ask, ctx.idempotency_key)
    ctx.sleep(0.01)
    said: dict[str, Any] | None = None
    while said is None:
        said = ctx.wait_for(answer, 5)
    ctx.step("apply", sink().apply, ctx.idempotency_key, "apply")
    return str(said["job"])


ALL = [deploy, publish, hurry, flaky, quick, agent, nap, call]
# Effects of a completed job, by type.
APPLIES = {"deploy": {"build", "apply"}, "publish": {"build", "apply"}, "hurry": set()}
APPLIES |= {
    "flaky": {"build"},
    "quick": {"build"},
    "agent": {"build", "apply"},
    "nap": {"build", "apply"},
    "call": {"build", "apply"},
}


def new_job(job_type: str) -> NewJob:
    """Return what is enqueued for ``job_type``: agents have a policy decide for them."""
    strategy = "auto_approve_low_risk" if job_type == "agent" else None
    return NewJob(job_type=job_type, approval_strategy=strategy)
