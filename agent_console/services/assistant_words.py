"""How the assistant writes: Markdown in which nothing that came from a job can pass for its own."""

from __future__ import annotations

import re
from datetime import datetime

from agent_console.domain.jobs import JobSummary
from agent_console.domain.visible import reveal

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&:])")
_UNITS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))


def plain(text: str, limit: int = 160) -> str:
    """Return ``text`` on one line, cut, with what Markdown would read taken literally."""
    line = " ".join(text.split())
    cut = line if len(line) <= limit else line[: limit - 1] + "…"
    return _SPECIAL.sub(r"\\\1", reveal(cut).text)


def code(text: str, limit: int = 100) -> str:
    """Return ``text`` as code."""
    return "`" + reveal(" ".join(text.split())[:limit]).text.replace("`", "'") + "`"


def link(text: str, href: str) -> str:
    """Return a link to a page of the console."""
    return f"[{plain(text, 80)}]({href})"


def job_link(job_id: str, title: str) -> str:
    """Return a link to a job's page."""
    return link(title or job_id, f"/jobs/{job_id}")


def checkpoint_link(checkpoint_id: str, title: str) -> str:
    """Return a link to a review card."""
    return link(title or checkpoint_id, f"/admin/agent-checkpoints/{checkpoint_id}")


def title_of(job: JobSummary) -> str:
    """Return what a job is called."""
    return job.task_description or job.job_type


def duration(seconds: float) -> str:
    """Return ``seconds`` in the largest unit of which there is one: "3 min"."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "0 s"


def ago(then: datetime | None, now: datetime) -> str:
    """Return how long ago ``then`` was; "just now" below a second."""
    if then is None:
        return "never"
    seconds = (now - then).total_seconds()
    return f"{duration(seconds)} ago" if seconds >= 1 else "just now"


def until(then: datetime | None, now: datetime) -> str:
    """Return how long it is until ``then``."""
    if then is None:
        return "no deadline"
    seconds = (then - now).total_seconds()
    return f"{duration(seconds)} left" if seconds > 0 else "overdue"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, which takes an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
