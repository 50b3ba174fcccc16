"""A secret is put into every input of a console at work, and looked for in all it says.

What a job is given is content: whoever may read the job is shown its input and what it asks, to
the last character, because that is what will run. Everywhere else a secret has no business.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sentry_sdk
import structlog
from starlette.testclient import TestClient

from agent_console import bootstrap
from agent_console.api.app import create_api
from agent_console.api.middleware import wrap
from agent_console.bootstrap import Console
from agent_console.domain.access import Role, local_operator
from agent_console.domain.jobs import FINISHED
from agent_console.gateways.keystore import open_keystore, open_store
from agent_console.settings import load_settings
from agent_console.telemetry import logs, sentry
from tests.support import rows
from tests.support.receiver import Receiver, receiver
from tests.support.transports import RecordingTransport

ROOT = local_operator("root")
ORIGIN = "http://localhost:3000"
CANARIES = {
    name: f"canary-{name}-5d1e8c70b2"
    for name in (
        "metrics-token", "passphrase", "redis-password", "database-password",
        "provider-key", "signing-key", "old-signing-key",
        "password", "wrong-password",
        "bearer", "cookie", "basic", "header", "idempotency", "query-token",
        "chat-token", "mail-password", "hook-path",
        "payload", "handler-log", "handler-header", "handler-url", "handler-error", "stray-key",
    )
}  # fmt: skip
# Given to the job itself: to be seen where the job is, and nowhere else.
CONTENT = {"payload"}

HANDLERS = f'''
"""A handler that is careless with secrets in every way."""
import logging
from pydantic import BaseModel
from agent_console import JobContext, NonRetryable, handler

class Input(BaseModel):
    api_key: str
    headers: dict[str, str]

@handler("careless", input=Input)
def careless(ctx: JobContext) -> None:
    """Log them, ask with them, fail with them."""
    key = ctx.input.api_key
    ctx.log(f"calling with api_key={{key}} and password={CANARIES["handler-log"]}")
    ctx.log("headers", headers={{"Authorization": "Bearer {CANARIES["handler-header"]}"}})
    ctx.info("Calling", {{"apiKey": key}})
    logging.getLogger("careless").error("cannot reach https://me:{CANARIES["handler-url"]}@host/")
    # As model providers do: the key in the middle of a sentence.
    logging.getLogger("careless").error("Incorrect key provided: {CANARIES["stray-key"]}.")
    ctx.approve("Call it?", data={{"apiKey": key}})
    message = "refused: token={CANARIES["handler-error"]} for {CANARIES["provider-key"]}"
    raise NonRetryable(message)
'''


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> RecordingTransport:
    """Let the console report to a transport that keeps everything."""
    made, start = RecordingTransport(), sentry.start
    monkeypatch.setattr(bootstrap.sentry, "start", lambda settings: start(settings, transport=made))
    return made


@pytest.fixture(params=[True, False], ids=["json", "text"])
def log(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Collect every line that is logged, in either form."""
    stream, configure = io.StringIO(), logs.configure
    monkeypatch.setenv("AGENT_CONSOLE_LOG_JSON", str(request.param))
    monkeypatch.setenv("AGENT_CONSOLE_LOG_LEVEL", "debug")
    monkeypatch.setattr(bootstrap.logs, "configure", lambda settings: configure(settings, stream))
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield stream
    for handler in [h for h in root.handlers if h not in handlers]:
        root.removeHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def other() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def console(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    other: Receiver,
    transport: RecordingTransport,
    log: io.StringIO,  # noqa: ARG001 - from its first line
) -> Iterator[Console]:
    """Run a console whose settings, environment and keystore hold canaries."""
    assert transport.sent == []
    module = tmp_path / "careless_handlers.py"
    module.write_text(HANDLERS, "utf-8")
    for name, value in {
        "AGENT_CONSOLE_HANDLERS": str(module),
        "AGENT_CONSOLE_METRICS_TOKEN": CANARIES["metrics-token"],
        "AGENT_CONSOLE_HTTP_ALLOW": other.origin,
        "AGENT_CONSOLE_HTTP_ALLOW_PRIVATE": "127.0.0.2/32",
        "AGENT_CONSOLE_NOTIFY_SCHEMES": "json,mailto,slack,discord",
        "AGENT_CONSOLE_NOTIFY_TIMEOUT": "2",
        "AGENT_CONSOLE_KEYSTORE_PASSPHRASE": CANARIES["passphrase"],
        "REDIS_URL": f"redis://:{CANARIES['redis-password']}@localhost/0",
        "SENTRY_DSN": "https://public@sentry.invalid/1",
        "ANTHROPIC_API_KEY": CANARIES["stray-key"],
    }.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    store = open_store(settings)
    store.put("OPENAI_API_KEY", CANARIES["provider-key"])
    store.put("webhook.orders", CANARIES["old-signing-key"])
    store.put("webhook.orders", CANARIES["signing-key"], keep_previous=True)
    secrets = open_keystore(settings)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        assert secrets.get(name) in CANARIES.values()
    expected = (CANARIES["signing-key"], CANARIES["old-signing-key"])
    assert secrets.versions("webhook.orders") == expected
    made = bootstrap.build(settings)
    made.start_worker()
    yield made
    made.stop()
    sentry_sdk.get_global_scope().set_client(None)
    sentry_sdk.get_isolation_scope().clear_breadcrumbs()


# What notifications are signed with is base64: a canary of its own kind.
HOOK_SECRET = "whsec_" + base64.b64encode(b"canary-hook-secret-5d1e8c70b2").decode()


class Visitor:
    """Uses every route with canaries in headers, queries and bodies; keeps all the answers."""

    def __init__(self, console: Console) -> None:
        self.console = console
        api = create_api(console.services, console.settings, console.metrics.render)
        self.routes = api.openapi()["paths"]
        self.client = TestClient(
            wrap(api, console.settings),
            base_url=ORIGIN,
            raise_server_exceptions=False,
            follow_redirects=False,
        )
        self.answers: list[tuple[str, str]] = []
        self.statuses: list[int] = []

    def ask(self, method: str, path: str, **request: Any) -> Any:
        """Send a request and keep the answer, headers included, but for the session's own."""
        answer = self.client.request(method, path, **request)
        self.statuses.append(answer.status_code)
        kept = [f"{name}: {value}" for name, value in answer.headers.items()]
        self.answers.append((f"{method} {path}", "\n".join([*kept, answer.text])))
        return answer

    def everywhere(self, headers: dict[str, str], ids: dict[str, str]) -> None:
        """Read every route that can be read."""
        for path, methods in self.routes.items():
            if "get" in methods and "stream" not in path:
                filled = re.sub(r"\{(\w+)\}", lambda m: ids.get(m[1], "none"), path)
                self.ask("GET", filled, headers=headers)


def careless_job(visitor: Visitor) -> tuple[str, str]:
    """Enqueue a job with a secret in it and run it up to its question."""
    reviewer = {"Authorization": f"Bearer {token(visitor.console, Role.ADMIN)}"}
    body = {
        "jobType": "careless",
        "taskDescription": "Call it",
        "inputData": {
            "api_key": CANARIES["payload"],
            "headers": {"Authorization": f"Bearer {CANARIES['payload']}"},
        },
    }
    headers = {**reviewer, "Idempotency-Key": CANARIES["idempotency"]}
    job_id = visitor.ask("POST", "/api/agent-jobs", json=body, headers=headers).json()["job"]["id"]
    review = visitor.console.services.review
    assert visitor.console.await_until(lambda: review.pending_count(ROOT) == 1, 20)
    checkpoint = review.for_job(ROOT, job_id)[-1]
    return job_id, checkpoint.id


def token(console: Console, role: Role) -> str:
    known = {user.email for user in console.services.access.users(ROOT)}
    email = f"{role.value}@example.com"
    if email not in known:
        console.services.access.create_user(ROOT, email, "Ana", role.value, CANARIES["password"])
    return console.services.access.create_token(ROOT, email, name="t", scopes=None, days=1).token


def intrude(visitor: Visitor) -> None:
    """Come with wrong credentials in every place that takes any, and with nonsense."""
    wrong = [
        {"Authorization": f"Bearer {CANARIES['bearer']}"},
        {"Authorization": f"Basic {CANARIES['basic']}"},
        {"Cookie": f"ac_session={CANARIES['cookie']}; theme=dark"},
        {"X-Api-Key": CANARIES["header"], "X-Request-ID": "r-1"},
    ]
    for headers in wrong:
        visitor.ask("GET", "/api/agent-jobs", headers=headers)
        visitor.ask("POST", "/api/agent-jobs", json={"jobType": "careless"}, headers=headers)
        visitor.ask("GET", f"/setup?token={CANARIES['query-token']}", headers=headers)
        visitor.ask("GET", "/metrics", headers=headers)
    form = {"email": "admin@example.com", "password": CANARIES["wrong-password"]}
    visitor.ask("POST", "/auth/login", data=form, headers={"Origin": ORIGIN})
    form["password"] = CANARIES["password"]
    visitor.ask("POST", "/auth/login", data=form, headers={"Origin": ORIGIN})
    visitor.client.cookies.clear()


def subscribe(visitor: Visitor, other: Receiver) -> str:
    """Subscribe by every way, with targets that are secrets; have messages fail and arrive."""
    headers = {"Authorization": f"Bearer {token(visitor.console, Role.ADMIN)}"}
    targets = [
        ("webhook", f"{other.origin}/{CANARIES['hook-path']}", {"secret": HOOK_SECRET}),
        ("webhook", f"https://elsewhere.invalid/{CANARIES['hook-path']}", {}),
        ("apprise", f"json://127.0.0.1:9/{CANARIES['chat-token']}", {}),
        (
            "apprise",
            f"mailto://me:{CANARIES['mail-password']}@127.0.0.1:9?from=me@example.com&to=a@example.com",
            {},
        ),
        ("apprise", f"discord://{CANARIES['chat-token']}/x?template={CANARIES['hook-path']}", {}),
        ("apprise", f"slack://{CANARIES['chat-token']}", {}),
    ]
    made = []
    for way, target, more in targets:
        body = {"name": "Mine", "way": way, "target": target, "topics": ["new", "decided"], **more}
        path = "/api/notifications/subscriptions"
        answer = visitor.ask("POST", path, json=body, headers=headers)
        if answer.status_code == 201:
            made.append(answer.json()["subscription"]["id"])
    assert len(made) == 3
    for one in made:
        path = f"/api/notifications/subscriptions/{one}/test"
        assert visitor.ask("POST", path, headers=headers).status_code == 200
    return str(made[1])


def found(text: str) -> set[str]:
    """Return the names of the canaries that stand in ``text``, as they are or escaped."""
    secrets = {**CANARIES, "hook-secret": HOOK_SECRET}
    return {name for name, value in secrets.items() if value in text}


def test_a_secret_in_every_input_is_in_no_output(
    console: Console,
    transport: RecordingTransport,
    log: io.StringIO,
    caplog: Any,
    other: Receiver,
) -> None:
    console.services.secrets.reveal(ROOT, "webhook.orders")
    visitor = Visitor(console)
    subscription_id = subscribe(visitor, other)
    job_id, checkpoint_id = careless_job(visitor)
    intrude(visitor)
    console.services.review.decide(ROOT, checkpoint_id, _approval(console, checkpoint_id))
    jobs = console.services.jobs
    assert console.await_until(lambda: jobs.get(ROOT, job_id).job.status in FINISHED, 20)
    ids = {"job_id": job_id, "jobId": job_id, "checkpoint_id": checkpoint_id, "id": job_id}
    ids["subscriptionId"] = subscription_id
    assert console.await_until(lambda: len(other.received) >= 2, 20)  # the test, and the question
    secret_of_session = token(console, Role.ADMIN)
    visitor.everywhere({"Authorization": f"Bearer {secret_of_session}"}, ids)
    visitor.everywhere({}, ids)

    # The net is not empty: the run was reported, logged and answered.
    assert len(transport.of("event")) >= 1
    assert job_id in log.getvalue()
    assert visitor.statuses.count(200) >= 15
    assert found(json.dumps(jobs.get(ROOT, job_id).job.input_data)) == CONTENT

    assert found(log.getvalue()) == set()
    assert secret_of_session not in log.getvalue()
    assert found(json.dumps(transport.sent, default=str)) == set()
    assert found(console.metrics.render().decode()) == set()
    assert found(repr(console.settings)) == set()
    for where, text in visitor.answers:
        mine = job_id in where or checkpoint_id in where or where == "POST /api/agent-jobs"
        shown = found(text) - (CONTENT if mine or "agent-checkpoints" in where else set())
        assert shown == set(), where
    assert caplog.records  # and pytest's own handler is no way around the boundary


def _approval(console: Console, checkpoint_id: str) -> Any:
    from agent_console.domain.checkpoints import CheckpointVerb, Verdict

    asked = console.services.review.get(ROOT, checkpoint_id).checkpoint
    return Verdict(verb=CheckpointVerb.APPROVE, payload_digest=asked.payload_digest)


def test_the_database_holds_a_secret_only_where_it_is_the_content_of_a_job(
    console: Console, tmp_path: Path, other: Receiver
) -> None:
    visitor = Visitor(console)
    subscribe(visitor, other)
    job_id, checkpoint_id = careless_job(visitor)
    intrude(visitor)
    console.services.review.decide(ROOT, checkpoint_id, _approval(console, checkpoint_id))
    jobs = console.services.jobs
    assert console.await_until(lambda: jobs.get(ROOT, job_id).job.status in FINISHED, 20)
    made = rows.engine(console.settings.database)
    with made.connect() as connection:
        held = {
            table.name: found(repr([tuple(r) for r in connection.execute(table.select())]))
            for table in rows.reflected(connection)
        }
    made.dispose()
    # The key of a repetition is compared, so it is kept; it opens nothing.
    assert held.pop("idempotency_keys") <= {"idempotency"}
    assert {name: what for name, what in held.items() if what - CONTENT - {"idempotency"}} == {}
    assert {name for name, what in held.items() if "payload" in what} <= {
        "ai_jobs", "agent_checkpoints", "job_steps",
    }  # fmt: skip
    console.services.backups.backup(ROOT, tmp_path / "b.zip", with_secrets=True)
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    databases = [path for path in files if path.name.startswith("agent_console.db")]
    assert databases
    for path in set(files) - set(databases):
        assert found(path.read_bytes().decode("latin-1")) == set(), path
