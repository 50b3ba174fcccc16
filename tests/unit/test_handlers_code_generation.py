from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent_console.domain.changes import FileDiff, render
from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import JobStatus, Json
from agent_console.handlers.code_generation import media_type
from agent_console.testing import Bench

FILES: list[Json] = [
    {"path": "src/a.py", "content": "print('new')\n"},
    {"path": "README.md", "content": "# New\n"},
]


CHECKOUT = Path(__file__).parents[2]
# Runs what is due until a crash point is passed, and dies there.
DIES = """
import os, signal, sys
from pathlib import Path
from agent_console.domain import crashpoints
from agent_console.handlers.code_generation import code_generation
from agent_console.runtime.registry import Registry
from agent_console.store.database import Database
from agent_console.testing import FakeClock, drain
url, workspace, label = sys.argv[1:]
crashpoints.arm(lambda at: os.kill(os.getpid(), signal.SIGKILL) if at == label else None)
clock, registry = FakeClock(), Registry([code_generation])
drain(Database(url, clock=clock), registry, clock=clock, workspace=Path(workspace))
"""


def _start(bench: Bench, files: list[Json] | None = None, description: str = "Tidy up") -> str:
    data: dict[str, Json] = {"files": files or FILES, "description": description}
    job_id = bench.enqueue("code-generation", data)
    bench.run()
    return job_id


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_shows_the_real_diff_and_writes_nothing_before_approval(bench: Bench) -> None:
    bench.workspace.write_all({"README.md": "# Old\n"})
    job_id = _start(bench)
    assert bench.job(job_id).status is JobStatus.WAITING
    shown = bench.pending(job_id)
    assert shown.message == "Tidy up"
    assert shown.action == "Write 2 files: create src/a.py, modify README.md"
    first, second = render(shown.changes)
    assert isinstance(first, FileDiff)
    assert isinstance(second, FileDiff)
    assert (first.path, first.status, first.added) == ("src/a.py", "added", 1)
    assert (second.status, [line.text for line in second.lines[1:]]) == (
        "modified",
        ["# Old", "# New"],
    )
    assert bench.workspace.read("src/a.py") is None
    assert bench.workspace.read("README.md") == "# Old\n"


def test_writes_what_was_approved_and_publishes_each_file(bench: Bench) -> None:
    bench.workspace.write_all({"README.md": "# Old\n"})
    job_id = _start(bench)
    bench.approve(job_id)
    bench.run()
    job = bench.job(job_id)
    assert job.status is JobStatus.COMPLETED
    assert bench.workspace.read("src/a.py") == "print('new')\n"
    assert bench.workspace.read("README.md") == "# New\n"
    artifacts = bench.artifacts(job_id)
    assert [(a.name, a.artifact_type, a.media_type, a.content) for a in artifacts] == [
        ("src/a.py", "file", "text/x-python", "print('new')\n"),
        ("README.md", "file", "text/markdown", "# New\n"),
    ]
    assert job.output_data == {
        "files": [
            {
                "path": "src/a.py",
                "status": "created",
                "digest": _sha("print('new')\n"),
                "bytes": 13,
                "artifactId": artifacts[0].id,
            },
            {
                "path": "README.md",
                "status": "modified",
                "digest": _sha("# New\n"),
                "bytes": 6,
                "artifactId": artifacts[1].id,
            },
        ]
    }


def test_rejection_writes_nothing_and_fails_with_the_reason(bench: Bench) -> None:
    job_id = _start(bench)
    bench.reject(job_id, "not like this")
    bench.run()
    job = bench.job(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.message == "not like this"
    assert not bench.workspace.root.exists()
    assert bench.artifacts(job_id) == []


def test_a_file_changed_since_the_review_is_shown_again(bench: Bench) -> None:
    bench.workspace.write_all({"README.md": "# Old\n"})
    job_id = _start(bench)
    bench.workspace.write_all({"README.md": "# Edited by hand\n"})
    bench.approve(job_id)
    bench.run()
    assert bench.job(job_id).status is JobStatus.WAITING
    assert bench.workspace.read("src/a.py") is None
    assert bench.log(job_id) == [
        "Compared 2 files with the workspace: 2 to write",
        "Changed since the review, asking again: README.md",
        "Compared 2 files with the workspace: 2 to write",
    ]
    again = bench.pending(job_id)
    assert again.changes[1]["before"] == "# Edited by hand\n"
    assert again.payload_digest != bench.checkpoints(job_id)[0].payload_digest
    bench.approve(job_id)
    bench.run()
    assert bench.job(job_id).status is JobStatus.COMPLETED
    assert bench.workspace.read("README.md") == "# New\n"


def test_nothing_to_write_needs_no_approval(bench: Bench) -> None:
    bench.workspace.write_all({"src/a.py": "print('new')\n", "README.md": "# New\n"})
    job_id = _start(bench)
    job: Any = bench.job(job_id)
    assert job.status is JobStatus.COMPLETED
    assert [file["status"] for file in job.output_data["files"]] == ["unchanged", "unchanged"]


def test_only_files_that_differ_are_shown_and_written(bench: Bench) -> None:
    bench.workspace.write_all({"README.md": "# New\n"})
    job_id = _start(bench)
    assert bench.pending(job_id).action == "Write 1 file: create src/a.py"


@pytest.mark.parametrize(
    "label", ["step.effect_done", "step.before_commit", "step.committed", "artifact.committed"]
)
def test_a_kill_around_the_write_neither_repeats_nor_asks_again(bench: Bench, label: str) -> None:
    job_id = _start(bench)
    bench.approve(job_id)
    place = [bench.db.url.render_as_string(), str(bench.workspace.root)]
    died = subprocess.run([sys.executable, "-c", DIES, *place, label], cwd=CHECKOUT, check=False)
    assert died.returncode == -signal.SIGKILL
    assert bench.job(job_id).status is JobStatus.RUNNING
    written = bench.workspace.root / "src/a.py"
    assert written.read_text() == "print('new')\n"  # whether that was recorded or not
    inode = written.stat().st_ino
    _rescue(bench)
    bench.run()
    assert bench.job(job_id).status is JobStatus.COMPLETED
    assert written.stat().st_ino == inode
    assert len(bench.checkpoints(job_id)) == 1
    assert [artifact.name for artifact in bench.artifacts(job_id)] == ["src/a.py", "README.md"]


def _rescue(bench: Bench) -> None:
    """Let the dead worker's jobs be taken over, as the sweep does."""
    from agent_console.store.liveness import rescue

    bench.clock.advance(60)
    assert rescue(bench.db, 15.0, 5, []) == 1


@pytest.mark.parametrize(
    ("files", "field"),
    [
        ([{"path": "../x", "content": ""}], "inputData.files.0.path"),
        (
            [{"path": "a", "content": ""}, {"path": "C:\\x", "content": ""}],
            "inputData.files.1.path",
        ),
        ([{"path": "a", "content": ""}, {"path": "A", "content": ""}], "inputData.files.1.path"),
        ([{"path": "a"}], "inputData.files.0.content"),
        ([{"path": "a", "content": "x" * 500_001}], "inputData.files.0.content"),
        ([], "inputData.files"),
    ],
)
def test_a_wrong_file_is_refused_at_enqueue_by_name(
    bench: Bench, files: list[Json], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        bench.enqueue("code-generation", {"files": files})
    assert [error.field for error in refused.value.fields] == [field]


def test_a_link_in_the_workspace_fails_the_job_without_retrying(bench: Bench) -> None:
    bench.workspace.root.mkdir(parents=True)
    (bench.workspace.root / "src").symlink_to("/etc")
    job_id = _start(bench)
    job = bench.job(job_id)
    assert (job.status, job.attempts) == (JobStatus.FAILED, 1)
    assert job.error is not None
    assert "src/a.py" in job.error.message


def test_more_than_a_reviewer_can_be_shown_is_said(bench: Bench) -> None:
    bench.workspace.write_all({"a": "a" * 499_000, "b": "b" * 400_000})
    job_id = _start(bench, [{"path": "a", "content": "c" * 400_000}, {"path": "b", "content": ""}])
    job = bench.job(job_id)
    assert (job.status, job.attempts) == (JobStatus.FAILED, 1)
    assert job.error is not None
    assert "Split them" in job.error.message


def test_many_files_are_named_in_part(bench: Bench) -> None:
    job_id = _start(bench, [{"path": f"f{n}", "content": ""} for n in range(9)])
    assert bench.pending(job_id).action == (
        "Write 9 files: create f0, create f1, create f2, create f3, create f4 and 4 more"
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.py", "text/x-python"),
        ("a.md", "text/markdown"),
        ("a.json", "application/json"),
        ("a.html", "text/html"),
        ("app.ts", "text/plain"),
        ("Makefile", "text/plain"),
        ("a.png", "text/plain"),
    ],
)
def test_media_types_are_of_texts(path: str, expected: str) -> None:
    assert media_type(path) == expected
