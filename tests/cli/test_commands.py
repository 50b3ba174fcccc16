"""Every command does what it says, and says in one line why it could not."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from agent_console.settings import load_settings
from agent_console.store import migrate
from agent_console.store.database import Database
from agent_console.store.runs import suspend
from tests.cli.conftest import PASSWORD, Account, Terminal
from tests.support.factories import enqueue
from tests.support.runs import checkpoint, claim_one

SIMPLE = '{"userId": "u-1", "action": "greet"}'


def test_the_tree_of_commands_is_listed(terminal: Terminal) -> None:
    words = terminal.done("--help")
    for name in ("serve", "worker", "db", "verify", "demo", "admin", "user", "token", "jobs"):
        assert name in words
    assert "checkpoints" in words
    assert "workers" in words


def test_wrong_usage_is_exit_code_two(terminal: Terminal) -> None:
    assert terminal("jobs", "list", "--limit", "many").exit_code == 2
    assert terminal("no-such-command").exit_code == 2


def test_a_wrong_setting_is_named_with_value_and_rule(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_CONSOLE_POLL_INTERVAL", "often")
    message = terminal.refused("jobs", "list")
    assert "AGENT_CONSOLE_POLL_INTERVAL='often'" in message
    assert "number" in message
    assert "Traceback" not in message


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("AGENT_CONSOLE_RISK_ASSESSORS", "secrets,luck", "'luck' is no assessor"),
        ("AGENT_CONSOLE_RISK_ASSESSORS", "", "use some of unfinished-work"),
        ("AGENT_CONSOLE_RISK_MAX_FILES", "0", "greater than or equal to 1"),
        ("AGENT_CONSOLE_RISK_DOUBTFUL", "0.8", "AGENT_CONSOLE_RISK_CONFIDENT"),
    ],
)
def test_wrong_settings_of_risk_stop_the_start(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    message = terminal.refused("jobs", "list")
    assert variable in message
    assert said in message


def test_the_settings_of_risk_reach_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_CONSOLE_RISK_ASSESSORS", "size, secrets")
    monkeypatch.setenv("AGENT_CONSOLE_RISK_MAX_FILES", "3")
    policy = load_settings().risk_policy
    assert (policy.assessors, policy.max_files, policy.max_lines) == (("size", "secrets"), 3, 400)
    monkeypatch.setenv("AGENT_CONSOLE_RISK_ASSESSORS", "none")
    assert load_settings().risk_policy.assessors == ()


def test_the_demo_walks_the_main_job(terminal: Terminal) -> None:
    walked = terminal.json("demo")
    assert walked["status"] == "COMPLETED"
    assert walked["artifacts"] == 2
    assert 'agent_checkpoints_total{status="APPROVED"} 1.0' in walked["metrics"]


def test_the_demo_leaves_the_configured_data_alone(terminal: Terminal, tmp_path: Path) -> None:
    terminal.done("demo")
    assert not (tmp_path / "data").exists()


def test_the_demo_here_writes_the_files(terminal: Terminal, tmp_path: Path) -> None:
    output = terminal.done("demo", "--here")
    assert "+ def greet(name: str) -> str:" in "\n".join(
        " ".join(line.split()) for line in output.splitlines()
    )
    written = tmp_path / "data" / "workspace" / "hello" / "greeting.py"
    assert "Hello, {name}!" in written.read_text("utf-8")


def test_database_check_before_and_after_upgrade(terminal: Terminal) -> None:
    assert "agent-console db upgrade" in terminal.refused("db", "check")
    assert terminal.json("db", "upgrade") == {"before": None, "after": migrate.head()}
    found = terminal.json("db", "check")
    assert found["ok"] is True
    assert all(found["tables"].values())
    assert "PASS  table ai_jobs" in terminal.done("db", "check")


def test_database_downgrade_asks_first(terminal: Terminal) -> None:
    terminal.done("db", "upgrade")
    assert terminal("db", "downgrade", "base", stdin="n\n").exit_code == 1
    assert terminal.json("db", "check")["ok"] is True
    assert terminal.json("db", "downgrade", "base", "--yes") == {
        "before": migrate.head(),
        "after": None,
    }
    assert terminal("db", "check").exit_code == 1


def test_no_server_gives_advice_and_keeps_the_password(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hush-hush@127.0.0.1:9/nowhere")
    message = terminal.refused("db", "check")
    assert "DATABASE_URL" in message
    assert "network" in message
    assert "hush-hush" not in message


def test_verify_has_a_line_per_area(terminal: Terminal) -> None:
    terminal.done("db", "upgrade")
    lines = terminal.done("verify").splitlines()
    assert [line.split(":")[0] for line in lines] == [
        f"PASS  {area}"
        for area in (
            "settings",
            "storage",
            "secrets",
            "database",
            "schema",
            "journal",
            "handlers",
            "pages",
            "engine",
        )
    ]


def test_verify_fails_by_name(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_CONSOLE_HANDLERS", "no_such_module_of_handlers")
    result = terminal("verify")
    assert result.exit_code == 1
    assert "FAIL  handlers: no_such_module_of_handlers" in result.stdout
    assert "FAIL  schema" in result.stdout


def test_verify_names_a_keystore_that_cannot_be_opened(terminal: Terminal, tmp_path: Path) -> None:
    terminal.done("secrets", "set", "name", stdin="value-of-name")
    assert "PASS  secrets: file can be opened, 1 stored" in terminal("verify").stdout
    (tmp_path / "data" / "keystore.key").unlink()
    result = terminal("verify")
    assert result.exit_code == 1
    assert "FAIL  secrets" in result.stdout
    assert "keystore.key" in result.stdout


def test_an_account_and_its_token(terminal: Terminal) -> None:
    made = terminal.json(
        "admin", "create", "--email", "Ana@Example.com", "--password-stdin", stdin=PASSWORD + "\n"
    )
    assert made["user"]["email"] == "ana@example.com"
    assert made["user"]["role"] == "admin"
    grant = terminal.json("token", "create", "--email", "ana@example.com", "--days", "7")
    assert grant["token"].startswith("ac_")
    assert "checkpoints:decide" in grant["scopes"]
    narrow = terminal.json("token", "create", "--email", "ana@example.com", "--scope", "jobs:read")
    assert narrow["scopes"] == ["jobs:read"]
    assert "ana@example.com" in terminal.done("user", "list")


def test_a_token_holds_no_more_than_its_account(terminal: Terminal, account: Account) -> None:
    account("vera@example.com", "viewer")
    grant = terminal.json("token", "create", "--email", "vera@example.com")
    assert "checkpoints:decide" not in grant["scopes"]
    words = ("token", "create", "--email", "vera@example.com", "--scope", "checkpoints:decide")
    assert "checkpoints:decide" in terminal.refused(*words)


def test_an_easy_password_is_refused(terminal: Terminal) -> None:
    words = ("admin", "create", "--email", "a@example.com", "--password-stdin")
    assert "password" in terminal.refused(*words, stdin="password\n")


def test_jobs_from_enqueue_to_cancel(on_each_database: Terminal) -> None:
    terminal = on_each_database
    words = ("jobs", "enqueue", "simple-task", "--input", SIMPLE, "--idempotency-key", "k")
    job = terminal.json(*words)["job"]
    assert job["status"] == "PENDING"
    assert terminal.json(*words)["job"]["id"] == job["id"]
    assert [j["id"] for j in terminal.json("jobs", "list")["jobs"]] == [job["id"]]
    assert job["id"] in terminal.done("jobs", "list", "--status", "PENDING")
    assert terminal.json("jobs", "pause", job["id"])["job"]["status"] == "PAUSED"
    assert terminal.json("jobs", "resume", job["id"])["job"]["status"] == "QUEUED"
    assert terminal.json("jobs", "cancel", job["id"])["job"]["status"] == "CANCELED"
    assert "CANCELED" in terminal.refused("jobs", "pause", job["id"])
    assert terminal.json("jobs", "retry", job["id"])["job"]["status"] == "QUEUED"
    shown = terminal.json("jobs", "show", job["id"])["job"]
    assert {entry["actorKind"] for entry in shown["timeline"]} == {"cli"}
    assert "job.canceled" in terminal.done("jobs", "show", job["id"])


def test_input_is_checked_before_it_is_queued(terminal: Terminal, tmp_path: Path) -> None:
    assert "not JSON" in terminal.refused("jobs", "enqueue", "simple-task", "--input", "{")
    assert "object" in terminal.refused("jobs", "enqueue", "simple-task", "--input", "[]")
    assert "inputData.action" in terminal.refused("jobs", "enqueue", "simple-task")
    assert "unknown job type" in terminal.refused("jobs", "enqueue", "nothing-like-it")
    file = tmp_path / "input.json"
    file.write_text(SIMPLE, "utf-8")
    for source, stdin in ((f"@{file}", None), ("-", SIMPLE)):
        made = terminal.json("jobs", "enqueue", "simple-task", "--input", source, stdin=stdin)
        assert made["job"]["inputData"]["action"] == "greet"


def test_an_unknown_id_is_one_line(terminal: Terminal) -> None:
    for words in (("jobs", "show", "job_0"), ("checkpoints", "show", "chk_0")):
        message = terminal.refused(*words)
        assert message.count("\n") == 1


@pytest.fixture
def waiting(on_each_database: Terminal) -> tuple[Terminal, str, str]:
    """Return a terminal, and the ids of a job and of the checkpoint it waits at."""
    from agent_console.bootstrap import build
    from agent_console.domain.access import SYSTEM
    from agent_console.domain.jobs import NewJob
    from agent_console.settings import load_settings

    console = build(load_settings())
    console.start_worker()
    try:
        files = [{"path": "a.txt", "content": "new\n"}]
        data = {"description": "One file", "files": files}
        new = NewJob(job_type="code-generation", input_data=data)
        job = console.services.jobs.enqueue(SYSTEM, new).job
        assert console.await_until(
            lambda: console.services.review.pending_count(SYSTEM) == 1, timeout=20
        )
        checkpoint = console.services.review.for_job(SYSTEM, job.id)[-1]
    finally:
        console.stop()
    return on_each_database, job.id, checkpoint.id


def test_a_checkpoint_is_shown_and_approved(waiting: tuple[Terminal, str, str]) -> None:
    terminal, job_id, checkpoint_id = waiting
    listed = terminal.json("checkpoints", "list")["checkpoints"]
    assert [each["id"] for each in listed] == [checkpoint_id]
    assert checkpoint_id in terminal.done("checkpoints", "list")
    card = terminal.done("checkpoints", "show", checkpoint_id)
    assert "+ new" in card
    digest = terminal.json("checkpoints", "show", checkpoint_id)["checkpoint"]["payloadDigest"]
    assert digest in card
    assert "changed since" not in card
    (load_settings().workspace_root / "a.txt").write_text("of somebody else\n")
    card = terminal.done("checkpoints", "show", checkpoint_id)
    assert "changed since this was asked: a.txt" in card
    other = hashlib.sha256(b"other").hexdigest()
    refused = terminal.refused("checkpoints", "approve", checkpoint_id, "--digest", other)
    assert refused.count("\n") == 1
    done = terminal.json("checkpoints", "approve", checkpoint_id, "--digest", digest)
    assert done["checkpoint"]["status"] == "APPROVED"
    assert terminal.json("jobs", "show", job_id)["job"]["status"] == "QUEUED"
    assert "APPROVED" in terminal.refused("checkpoints", "approve", checkpoint_id)
    assert terminal.done("checkpoints", "list").strip() == "Nothing waits."


def test_a_checkpoint_is_rejected_with_its_reason(waiting: tuple[Terminal, str, str]) -> None:
    terminal, _, checkpoint_id = waiting
    assert terminal("checkpoints", "reject", checkpoint_id).exit_code == 2
    words = ("checkpoints", "reject", checkpoint_id, "--reason", "Not in this folder")
    done = terminal.json(*words)["checkpoint"]
    assert done["status"] == "REJECTED"
    assert done["rejectionReason"] == "Not in this folder"


def test_changes_are_requested_where_a_round_comes_after(
    on_each_database: Terminal, database_url: str
) -> None:
    terminal = on_each_database
    db = Database(database_url)
    try:
        enqueue(db)
        first = suspend(db, claim_one(db).key, checkpoint(0, {"n": 1}, rounds=2))
        words = ("checkpoints", "request-changes", first)
        assert terminal(*words).exit_code == 2
        done = terminal.json(*words, "--feedback", "two, not one")["checkpoint"]
        assert (done["status"], done["feedback"]) == ("CHANGES_REQUESTED", "two, not one")
        second = suspend(db, claim_one(db).key, checkpoint(1, {"n": 2}, rounds=2))
    finally:
        db.close()
    card = terminal.done("checkpoints", "show", second)
    assert "round 2 of 2" in card
    assert f"round 1 ({first}): two, not one" in card
    refused = terminal.refused("checkpoints", "request-changes", second, "--feedback", "three")
    assert "the last one" in refused


def test_a_job_is_replayed_from_its_record(waiting: tuple[Terminal, str, str]) -> None:
    terminal, job_id, _ = waiting
    assert terminal.done("jobs", "replay", job_id).splitlines()[-1] == "Nothing differs."
    replay = terminal.json("jobs", "replay", job_id)["replay"]
    assert (replay["jobId"], replay["same"], replay["end"]) == (job_id, True, "record_end")
    assert "There is no job" in terminal.refused("jobs", "replay", "job_none")


def test_workers_are_listed_by_process(waiting: tuple[Terminal, str, str]) -> None:
    terminal, _, _ = waiting
    found = terminal.json("workers", "list")["workers"]
    assert [(w["status"], w["pollInterval"]) for w in found] == [("STOPPED", 5000)]
    assert found[0]["id"] in terminal.done("workers", "list")


def test_the_setup_link_is_private_and_goes_with_the_first_account(
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from agent_console.bootstrap import build
    from agent_console.settings import load_settings

    monkeypatch.setenv("AGENT_CONSOLE_WORKER", "off")
    file = tmp_path / "data" / "setup-link"
    console = build(load_settings())
    console.start()
    console.stop()
    link = file.read_text("utf-8").strip()
    assert link.startswith("http://localhost:3000/setup?token=")
    assert link in capsys.readouterr().out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    account("ana@example.com", "admin")
    console = build(load_settings())
    console.start()
    console.stop()
    assert "setup" not in capsys.readouterr().out
    assert not file.exists()
