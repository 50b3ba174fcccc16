"""Work for the console, given and observed through its REST interface."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from tests.e2e.polling import until

LIMIT = 20.0  # seconds until something is considered not to happen

ROWS = [
    {"name": " ada lovelace ", "price": 12.5, "quantity": 3},
    {"name": "grace hopper", "price": 8, "quantity": 10},
    {"name": "linus", "price": 99.99, "quantity": 1},
]
STEPS = [
    {"op": "trim", "fields": ["name"]},
    {"op": "titlecase", "fields": ["name"]},
    {"op": "multiply", "field": "price", "by": {"field": "quantity"}, "into": "total"},
]


def code(path: str, content: str, why: str = "Add a module") -> dict[str, Any]:
    """Return the input of a code-generation job with one file."""
    return {"description": why, "files": [{"path": path, "content": content}]}


class Work:
    """Enqueues as the operator, decides as the reviewer."""

    def __init__(self, operator: httpx.Client, reviewer: httpx.Client) -> None:
        self._operator = operator
        self._reviewer = reviewer

    def enqueue(
        self, job_type: str, data: dict[str, Any], description: str = "", **fields: Any
    ) -> str:
        """Enqueue a job and return its id; ``fields`` are of the request."""
        body = {"jobType": job_type, "taskDescription": description, "inputData": data, **fields}
        return str(_ok(self._operator.post("/api/agent-jobs", json=body))["job"]["id"])

    def schedule(self, name: str, job_type: str, data: dict[str, Any], **rule: Any) -> str:
        """Make a schedule as the operator and return its id."""
        body = {"name": name, "jobType": job_type, "inputData": data, **rule}
        return str(_ok(self._operator.post("/api/schedules", json=body))["schedule"]["id"])

    def chat(self, job: str, *messages: str) -> str:
        """Open the conversation on a job, say something in it, and return its id."""
        session = _ok(self._operator.post("/api/chat/session", json={"jobId": job}))["session"]
        for content in messages:
            self.say(session["id"], content)
        return str(session["id"])

    def say(self, session: str, content: str) -> None:
        """Say something in a conversation as the operator."""
        address = f"/api/chat/session/{session}/messages"
        _ok(self._operator.post(address, json={"content": content}))

    def waiting(self, description: str = "") -> tuple[str, str]:
        """Enqueue a code-generation job; return it and its checkpoint once that is open."""
        path = f"waiting/{uuid.uuid4().hex}.txt"
        job = self.enqueue("code-generation", code(path, "text\n"), description)
        return job, self.open_checkpoint(job)

    def open_checkpoint(self, job: str) -> str:
        """Return the id of the checkpoint the job waits for."""
        return self.eventually(lambda: self._pending_of(job), f"a checkpoint of {job}")

    def approve(self, checkpoint: str) -> None:
        """Approve as the reviewer."""
        _ok(self._reviewer.post(f"/api/admin/agent-checkpoints/{checkpoint}", json={}))

    def reject(self, checkpoint: str, reason: str) -> None:
        """Reject as the reviewer."""
        address = f"/api/admin/agent-checkpoints/{checkpoint}"
        _ok(self._reviewer.request("DELETE", address, json={"reason": reason}))

    def request_changes(self, checkpoint: str, feedback: str) -> None:
        """Ask for another round as the reviewer."""
        address = f"/api/admin/agent-checkpoints/{checkpoint}/request-changes"
        _ok(self._reviewer.post(address, json={"feedback": feedback}))

    def next_checkpoint(self, job: str, before: str) -> str:
        """Return the id of the checkpoint the job waits for after ``before``."""

        def look() -> str | None:
            found = self._pending_of(job)
            return found if found != before else None

        return str(self.eventually(look, f"another checkpoint of {job}"))

    def job(self, job: str) -> dict[str, Any]:
        """Return the job as REST shows it."""
        found: dict[str, Any] = _ok(self._operator.get(f"/api/agent-jobs/{job}"))["job"]
        return found

    def finished(self, job: str) -> dict[str, Any]:
        """Return the job once it is over."""
        over = {"COMPLETED", "FAILED", "CANCELED"}

        def look() -> dict[str, Any] | None:
            found = self.job(job)
            return found if found["status"] in over else None

        return self.eventually(look, f"the end of {job}")

    def clear_desk(self) -> None:
        """Reject whatever still waits."""
        for one in self._pending():
            self.reject(one["id"], "The test that asked for this is over.")

    def eventually(self, look: Any, what: str) -> Any:
        """Return the first true answer of ``look``."""
        return until(look, what, LIMIT)

    def _pending(self) -> list[dict[str, Any]]:
        answer = _ok(self._reviewer.get("/api/admin/agent-checkpoints", params={"limit": 200}))
        pending: list[dict[str, Any]] = answer["checkpoints"]
        return pending

    def _pending_of(self, job: str) -> str | None:
        return next((one["id"] for one in self._pending() if one["jobId"] == job), None)


def _ok(answer: httpx.Response) -> dict[str, Any]:
    assert answer.is_success, f"{answer.request.method} {answer.url}: {answer.text}"
    body: dict[str, Any] = answer.json()
    return body
