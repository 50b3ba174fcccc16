"""What is said of a checkpoint: the body of a webhook, and the same in words for people.

Never the payload. What an agent wrote is cut, its hidden characters are made visible, and in words
for people nothing in it rings a bell or leads anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent_console.domain.clock import from_micros
from agent_console.domain.jobs import Json
from agent_console.domain.notifications import TEST, Topic
from agent_console.domain.payload import canonical
from agent_console.domain.redaction import redact_text
from agent_console.domain.visible import reveal
from agent_console.store.outbox import Facts, News

MAX_MESSAGE = 500  # characters
_TITLES: Mapping[str, str] = {
    Topic.NEW: "Decision needed",
    Topic.REMINDER: "Still waiting for a decision",
    Topic.ESCALATION: "Decision needed, escalated",
}
# Mentions, commands and markup of chats; and links, which chats make of anything like one.
_TAME = str.maketrans("@<>`*_[]", "＠‹›'∗＿()")


def checkpoint_url(origin: str, checkpoint_id: str) -> str:
    """Return the permanent link of a checkpoint; opening it decides nothing."""
    return f"{origin}/admin/agent-checkpoints/{checkpoint_id}"


def body_of(news: News, facts: Facts, origin: str) -> str:
    """Return the body of the message, as canonical JSON: ``type``, ``timestamp``, ``data``."""
    data: dict[str, Json] = {
        "checkpointId": facts.id,
        "jobId": facts.job_id,
        "jobType": facts.job_type,
        "status": news.status or facts.status,
        "message": cut(reveal(redact_text(facts.message)).text),
        "expiresAt": None if facts.expires_at is None else _instant(facts.expires_at),
        "url": checkpoint_url(origin, facts.id),
    }
    if news.percent is not None:
        data["percentLeft"] = news.percent
    if news.topic is Topic.DECIDED:
        data["decidedBy"] = news.by
    return _body(news.topic.value, news.at, data)


def test_body(now: int, name: str, origin: str) -> str:
    """Return the body of a message that somebody asked for; ``now`` is microseconds."""
    return _body(TEST, now, {"subscription": name, "url": f"{origin}/notifications"})


def _body(topic: str, at: int, data: dict[str, Json]) -> str:
    return canonical({"type": f"checkpoint.{topic}", "timestamp": _instant(at), "data": data})


def words(topic: str, body: Mapping[str, Json]) -> tuple[str, str]:
    """Return title and text of a message for people."""
    data = body["data"]
    assert isinstance(data, dict)  # noqa: S101 - made above
    url = str(data["url"])
    if topic == TEST:
        return "Test of agent_console", f"Messages of agent_console arrive here.\n{url}"
    status, job_type = str(data["status"]), str(data["jobType"])
    said = status.replace("_", " ").capitalize()
    title = f"{_TITLES.get(topic, said)}: {job_type}"
    lines = [_tame(str(data["message"]))]
    if topic == Topic.DECIDED:
        by = _tame(str(data["decidedBy"]))
        lines.append(f"{said} by {by}." if by else f"{said}.")
    elif data["expiresAt"] is not None:
        left = f" ({data['percentLeft']} % of the time is left)" if "percentLeft" in data else ""
        lines.append(f"Deadline: {str(data['expiresAt'])[:16].replace('T', ' ')} UTC{left}")
    return _one_line(title), "\n".join([*lines, f"Open: {url}"])


def cut(text: str) -> str:
    """Return ``text`` on one line, cut where it is long."""
    line = _one_line(text)
    return line if len(line) <= MAX_MESSAGE else line[: MAX_MESSAGE - 1] + "…"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _tame(text: str) -> str:
    return text.replace("://", ":⧸⧸").replace("www.", "www․").translate(_TAME)


def _instant(micros: int) -> str:
    return from_micros(micros).isoformat(timespec="microseconds").replace("+00:00", "Z")
