"""What is said of a checkpoint: the body of a webhook, and the same in words for people.

Never the payload. What an agent wrote is cut, its hidden characters are made visible, and in words
for people nothing in it rings a bell or leads anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.clock import from_micros
from agent_console.domain.jobs import Json
from agent_console.domain.notifications import DIGEST, TEST, Topic, Way
from agent_console.domain.payload import canonical
from agent_console.domain.redaction import redact_text
from agent_console.domain.visible import reveal
from agent_console.store.outbox import Facts, News

MAX_MESSAGE = 500  # characters
MAX_AMONG_OTHERS = 160  # characters, where a message tells of several
_TITLES: Mapping[str, str] = {
    Topic.NEW: "Decision needed",
    Topic.REMINDER: "Still waiting for a decision",
    Topic.ESCALATION: "Decision needed, escalated",
}
# Mentions, commands and markup of chats; and links, which chats make of anything like one.
_TAME = str.maketrans("@<>`*_[]", "＠‹›'∗＿()")


def checkpoint_url(origin: str, checkpoint_id: str) -> str:
    """Return the permanent link of a checkpoint; opening it decides nothing."""
    return f"{_desk(origin)}/{checkpoint_id}"


def _desk(origin: str) -> str:
    return f"{origin}/admin/agent-checkpoints"


def body_of(news: News, facts: Facts, origin: str) -> str:
    """Return the body of the message, as canonical JSON: ``type``, ``timestamp``, ``data``."""
    return canonical(_told(news, facts, origin))


def digest_body(told: Sequence[News], known: Mapping[str, Facts], way: Way, origin: str) -> str:
    """Return the body of a message that gathered ``told``, as things stand: ``known``, by id.

    Empty when nothing in it is news any more. ``decidedBefore`` counts the checkpoints that do not
    wait any more, and of which it tells nothing else.
    """
    # What is said twice of a checkpoint, which can be asked about again, is said once.
    latest = {(one.checkpoint_id, one.topic): one for one in told}
    kept = [
        (one, known[one.checkpoint_id])
        for one in latest.values()
        if not obsolete(one.topic, one.status, known.get(one.checkpoint_id), way)
    ]
    if not kept:
        return ""
    decided = {facts.id for facts in known.values() if facts.status != CheckpointStatus.PENDING}
    before = decided - {facts.id for _, facts in kept}
    data: dict[str, Json] = {
        "message": _counted([one.topic for one, _ in kept]),
        "notices": [_told(one, facts, origin) for one, facts in kept],
        "decidedBefore": len(before),
        "url": _desk(origin),
    }
    return canonical(_body(DIGEST, max(one.at for one, _ in kept), data))


def obsolete(topic: Topic, status: str, point: Facts | None, way: Way) -> str:
    """Return why a notice is no news any more, or "".

    A program is told all that happened, late if need be; people only of what they can act upon. A
    decision that was taken back was none: ``status`` is what is told of ``point``, None: deleted.
    """
    if point is None:
        return "The checkpoint was deleted."
    if topic is Topic.DECIDED:
        return "" if point.status == status else "The decision was taken back."
    if way is Way.APPRISE and point.status != CheckpointStatus.PENDING:
        return "The checkpoint was decided before."
    return ""


def _told(news: News, facts: Facts, origin: str) -> dict[str, Json]:
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


def _counted(topics: Sequence[Topic]) -> str:
    decided = topics.count(Topic.DECIDED)
    asking = len(topics) - decided
    said = [f"{asking} decision{'s' * (asking != 1)} needed"] if asking else []
    return ", ".join([*said, f"{decided} decided"] if decided else said)


def test_body(now: int, name: str, origin: str) -> str:
    """Return the body of a message that somebody asked for; ``now`` is microseconds."""
    return canonical(_body(TEST, now, {"subscription": name, "url": f"{origin}/notifications"}))


def _body(topic: str, at: int, data: dict[str, Json]) -> dict[str, Json]:
    return {"type": f"checkpoint.{topic}", "timestamp": _instant(at), "data": data}


def words(topic: str, body: Mapping[str, Json]) -> tuple[str, str]:
    """Return title and text of a message for people."""
    data = body["data"]
    assert isinstance(data, dict)  # noqa: S101 - made above
    url = str(data["url"])
    if topic == TEST:
        return "Test of agent_console", f"Messages of agent_console arrive here.\n{url}"
    if topic == DIGEST:
        return str(data["message"]), _words_of_several(data)
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


def _words_of_several(data: Mapping[str, Json]) -> str:
    parts = []
    for notice in cast("list[dict[str, Json]]", data["notices"]):
        told = cast("dict[str, Json]", notice["data"])
        short = {**told, "message": cut(str(told["message"]), MAX_AMONG_OTHERS)}
        topic = str(notice["type"]).removeprefix("checkpoint.")
        parts.append("\n".join(words(topic, {"data": short})))
    if before := data["decidedBefore"]:
        parts.append(f"{before} more decided before this was sent.")
    return "\n\n".join([*parts, f"All that waits: {data['url']}"])


def cut(text: str, most: int = MAX_MESSAGE) -> str:
    """Return ``text`` on one line, cut where it is longer than ``most`` characters."""
    line = _one_line(text)
    return line if len(line) <= most else line[: most - 1] + "…"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _tame(text: str) -> str:
    return text.replace("://", ":⧸⧸").replace("www.", "www․").translate(_TAME)


def _instant(micros: int) -> str:
    return from_micros(micros).isoformat(timespec="microseconds").replace("+00:00", "Z")
