from __future__ import annotations

import errno
import hashlib
import itertools
import os
import signal
import stat
import subprocess
import sys
import threading
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from agent_console.domain.errors import Invalid, TooLarge
from agent_console.domain.paths import TEMP_PREFIX, WorkspacePath, check_path, check_paths
from agent_console.gateways.workspace import (
    MAX_FILE,
    StaleBase,
    Workspace,
    WorkspaceUnavailable,
)

ESCAPES = [
    "/etc/passwd", "//server/share", "../x", "a/../../x", "a/..", "..", ".", "./a", "a/./b", "",
    "a//b", "a/", "..\\x", "..\\..\\x", "a\\b", "C:/x", "C:x", "c:\\x", "file.txt:stream",
    "CON", "con.txt", "NUL", "nul .txt", "aux.c", "prn", "COM1", "com¹.txt", "lpt9.log", "CONIN$",
    "a.", "a ", "a/b./c", " a", "a\x00b", "a\nb", "a\tb", "a\x7fb", "a\u202eb", "a\u200bb",
    "\ufeffa", "a\u2028b", "a\u00a0b", "\ud800", "x" * 201, "é" * 101, "a/" * 600 + "b",
    "a/" * 32 + "b", "e\u0301", "．．/x", "a／b", "a＼b", "a：b", "‥/x", "a*b", "a?b", 'a"b', "a<b",
    "a|b", "src/m\u0430in.py", ".agent-console-0123.tmp", ".Agent-Console-x",
]  # fmt: skip
FINE = [
    "a", "a.py", "src/a.py", ".env", ".github/workflows/ci.yml", "app/[id]/page.tsx", "a b/c d.txt",
    "ü/é.py", "日本/語.md", "документы/план.md",
    "console.log", "com10.txt", "nullable.py", "a..b", "...a", "x" * 200,
    "-rf", "~/a", "$HOME/a", "a;b", "a&b", "a'b", "@scope/pkg.json", "+page.svelte",
]  # fmt: skip


CHECKOUT = Path(__file__).parents[2]
# Dies with files staged and none published.
DIES = """
import os, signal, sys
from agent_console.gateways.staging import Stage
stage = Stage(os.open(sys.argv[1], os.O_RDONLY))
stage.add(("d", "a"), b"half")
stage.add(("e", "b"), b"half")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "outside" / "root")


def _everything(workspace: Workspace) -> dict[str, str]:
    root = workspace.root
    return {
        str(path.relative_to(root)): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("path", ESCAPES)
def test_paths_that_escape_hide_or_mean_something_else_are_refused(
    path: str, workspace: Workspace
) -> None:
    with pytest.raises(Invalid) as refused:
        check_path(path, "inputData.files.0.path")
    assert refused.value.fields[0].field == "inputData.files.0.path"
    refused.value.message.encode()  # can be sent, whatever the path held
    with pytest.raises(Invalid):
        workspace.read(path)
    with pytest.raises(Invalid):
        workspace.write_all({path: "x"})


@pytest.mark.parametrize("path", FINE)
def test_ordinary_paths_are_taken(path: str, workspace: Workspace) -> None:
    assert "/".join(check_path(path)) == path
    assert workspace.write_all({path: "text"}) == {path: _sha("text")}
    assert workspace.read(path) == "text"


_PARTS = st.sampled_from(["..", ".", "a", "B", "\\", "/", " ", "CON", ":", "\u202e", "．", "é"])


@settings(max_examples=2_000)
@given(
    st.text(max_size=40)
    | st.lists(_PARTS, max_size=8).map("/".join)
    | st.lists(_PARTS).map("".join)
)
def test_no_accepted_path_leaves_the_root(path: str) -> None:
    try:
        parts = check_path(path)
    except Invalid:
        return
    root = "/srv/root"
    assert os.path.normpath(f"{root}/{path}") == f"{root}/{path}"
    assert os.path.normpath(path.replace("\\", "/")) == path
    assert unicodedata.normalize("NFC", path) == path
    assert all(part.strip(" ") == part and not part.endswith(".") for part in parts)
    compatible = unicodedata.normalize("NFKC", path).replace("\\", "/").split("/")
    assert not {"..", "."} & set(compatible)
    assert len(compatible) == len(parts)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.text(max_size=30) | st.lists(_PARTS, max_size=6).map("/".join))
def test_nothing_is_ever_written_outside_the_root(path: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    workspace = Workspace(outside / "root")
    try:
        workspace.write_all({path: "x"})
    except Invalid:
        assert not outside.exists() or set(outside.iterdir()) <= {workspace.root}
        return
    assert set(outside.iterdir()) == {workspace.root}
    assert workspace.read(path) == "x"


@pytest.mark.parametrize(
    ("paths", "refused"),
    [
        (["a", "b", "a"], ["files.2.path"]),
        (["README.md", "readme.MD"], ["files.1.path"]),
        (["straße", "STRASSE"], ["files.1.path"]),
        (["ﬁle", "file"], ["files.1.path"]),
        (["a", "a/b"], ["files.1.path"]),
        (["a/b/c", "A"], ["files.1.path"]),
        (["a/b", "../x", "A/B", "c"], ["files.1.path", "files.2.path"]),
    ],
)
def test_paths_that_are_one_file_on_some_system_collide(
    paths: list[str], refused: list[str]
) -> None:
    with pytest.raises(Invalid) as error:
        check_paths(paths)
    assert [field.field for field in error.value.fields] == refused


def test_different_files_in_one_directory_do_not_collide() -> None:
    check_paths(["a/b", "a/c", "a/d/e", "b"])
    assert check_path("a/b") == ("a", "b")


def test_the_field_type_names_the_field() -> None:
    class Model(BaseModel):
        paths: list[WorkspacePath]

    assert Model(paths=["src/a.py"]).paths == ["src/a.py"]
    with pytest.raises(ValidationError) as refused:
        Model(paths=["a", "../b"])
    assert refused.value.errors()[0]["loc"] == ("paths", 1)


def test_reading_what_is_not_there(workspace: Workspace) -> None:
    assert workspace.read("a/b") is None
    assert workspace.digest("a/b") is None
    assert not workspace.exists("a/b")
    assert not workspace.root.exists()
    assert workspace.clean() == 0


def test_text_is_written_and_read_byte_for_byte(workspace: Workspace) -> None:
    text = "é\r\n\ttail without newline"
    workspace.write_all({"a/b.txt": text})
    assert (workspace.root / "a/b.txt").read_bytes() == text.encode()
    assert workspace.read("a/b.txt") == text
    assert workspace.digest("a/b.txt") == _sha(text)


def test_what_is_not_text_is_not_read(workspace: Workspace) -> None:
    workspace.root.mkdir(parents=True)
    (workspace.root / "image").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Invalid, match="not UTF-8"):
        workspace.read("image")
    assert workspace.digest("image") == hashlib.sha256(b"\xff\xfe\x00").hexdigest()


def test_what_is_too_large_is_not_read(workspace: Workspace) -> None:
    workspace.root.mkdir(parents=True)
    (workspace.root / "big").write_bytes(b"x" * (MAX_FILE + 1))
    with pytest.raises(TooLarge, match="big"):
        workspace.read("big")


def test_a_changed_base_is_named_and_nothing_is_written(workspace: Workspace) -> None:
    workspace.write_all({"a": "1", "b": "1"})
    before = {path: workspace.digest(path) for path in ("a", "b")}
    (workspace.root / "b").write_text("edited")
    with pytest.raises(StaleBase) as stale:
        workspace.write_all({"a": "2", "b": "2", "new/c": "2"}, {**before, "new/c": None})
    assert stale.value.paths == ("b",)
    assert _everything(workspace) == {"a": "1", "b": "edited"}
    assert not (workspace.root / "new").exists()


def test_a_file_that_appeared_is_a_changed_base(workspace: Workspace) -> None:
    workspace.write_all({"a": "theirs"})
    with pytest.raises(StaleBase):
        workspace.write_all({"a": "ours"}, {"a": None})
    assert workspace.read("a") == "theirs"


def test_an_edit_during_staging_is_noticed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.write_all({"a": "1"})
    base = workspace.digest("a")
    fsync = os.fsync

    def slow_disk(fd: int) -> None:
        (workspace.root / "a").write_text("edited meanwhile")
        fsync(fd)

    monkeypatch.setattr(os, "fsync", slow_disk)
    with pytest.raises(StaleBase):
        workspace.write_all({"a": "2"}, {"a": base})
    assert _everything(workspace) == {"a": "edited meanwhile"}


def test_a_batch_may_be_repeated(workspace: Workspace) -> None:
    files, expect = {"a": "1", "d/b": "2"}, {"a": None, "d/b": None}
    first = workspace.write_all(files, expect)
    inode = (workspace.root / "a").stat().st_ino
    assert workspace.write_all(files, expect) == first
    assert (workspace.root / "a").stat().st_ino == inode  # not even touched


def test_a_batch_that_died_between_renames_is_completed_by_its_repetition(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, expect = {"a": "1", "b": "2", "c": "3"}, {"a": None, "b": None, "c": None}
    rename = os.rename
    done: list[object] = []

    def dies(*args: Any, **kwargs: Any) -> None:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(args)
        rename(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", dies)
        with pytest.raises(KeyboardInterrupt):
            workspace.write_all(files, expect)
    assert _everything(workspace) == {"a": "1", "b": "2"}
    workspace.write_all(files, expect)
    assert _everything(workspace) == files


@pytest.mark.parametrize("failing", ["write", "fsync", "open", "rename"])
def test_a_full_disk_leaves_nothing_half_written(
    failing: str, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.write_all({"a": "old", "d/b": "old"})
    real = getattr(os, failing)
    calls = []

    def full(*args: object, **kwargs: object) -> object:
        creates = failing != "open" or bool(int(args[1]) & os.O_CREAT)  # type: ignore[call-overload]
        if creates:
            calls.append(args)
            if len(calls) >= (1 if failing == "rename" else 2):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args, **kwargs)

    monkeypatch.setattr(os, failing, full)
    with pytest.raises(WorkspaceUnavailable, match="No space left"):
        workspace.write_all({"a": "new", "d/b": "new", "e/f/c": "new"})
    monkeypatch.undo()
    assert _everything(workspace) == {"a": "old", "d/b": "old"}
    assert not (workspace.root / "e").exists()


def test_a_killed_writer_leaves_only_temporary_files_and_the_next_removes_them(
    workspace: Workspace,
) -> None:
    workspace.write_all({"d/a": "1"})
    died = subprocess.run(
        [sys.executable, "-c", DIES, str(workspace.root)], cwd=CHECKOUT, check=False
    )
    assert died.returncode == -signal.SIGKILL
    assert [name[: len(TEMP_PREFIX)] for name in _names(workspace.root / "d")] == [
        TEMP_PREFIX,
        "a",
    ]
    workspace.write_all({"d/c": "2"})
    assert _names(workspace.root / "d") == ["a", "c"]
    assert workspace.clean() == 1
    assert _everything(workspace) == {"d/a": "1", "d/c": "2"}


def test_permissions_of_a_replaced_file_stay(workspace: Workspace) -> None:
    workspace.write_all({"run.sh": "1"})
    (workspace.root / "run.sh").chmod(0o750)
    workspace.write_all({"run.sh": "2"})
    assert stat.S_IMODE((workspace.root / "run.sh").stat().st_mode) == 0o750


def test_a_hard_link_to_a_file_outside_is_cut_not_followed(workspace: Workspace) -> None:
    workspace.write_all({"x": "1"})
    outside = workspace.root.parent / "secret"
    outside.write_text("secret")
    os.link(outside, workspace.root / "hard")
    workspace.write_all({"hard": "ours"})
    assert outside.read_text() == "secret"


@pytest.mark.parametrize("what", ["file link", "directory link", "fifo", "directory"])
def test_links_and_special_files_are_refused(what: str, workspace: Workspace) -> None:
    workspace.write_all({"x": "1"})
    outside = workspace.root.parent / "secret"
    outside.mkdir()
    (outside / "f").write_text("secret")
    path = "bad"
    match what:
        case "file link":
            (workspace.root / "bad").symlink_to(outside / "f")
        case "directory link":
            (workspace.root / "bad").symlink_to(outside)
            path = "bad/f"
        case "fifo":
            os.mkfifo(workspace.root / "bad")
        case _:
            (workspace.root / "bad").mkdir()
    for call in (
        workspace.read,
        workspace.digest,
        lambda p: workspace.write_all({"y": "1", p: "z"}),
    ):
        with pytest.raises(Invalid):
            call(path)
    assert (outside / "f").read_text() == "secret"
    assert not (workspace.root / "y").exists()


def test_a_dangling_link_is_refused_not_followed(workspace: Workspace) -> None:
    workspace.write_all({"x": "1"})
    target = workspace.root.parent / "created"
    (workspace.root / "bad").symlink_to(target)
    with pytest.raises(Invalid):
        workspace.write_all({"bad": "z"})
    assert not target.exists()


def test_a_symlink_swapped_in_while_writing_leads_nowhere(workspace: Workspace) -> None:
    workspace.write_all({"d/f": "0"})
    outside = workspace.root.parent / "secret"
    outside.mkdir()
    real = workspace.root / "d"
    stop = threading.Event()
    swaps: list[int] = []
    numbers = itertools.count()

    def swap() -> None:
        while not stop.is_set():
            with suppress(OSError):
                # A new name each time: a move onto one that was used would fail from then on.
                real.rename(workspace.root / f"parked{next(numbers)}")
                real.symlink_to(outside)
                swaps.append(1)
            with suppress(OSError):  # the writer made a directory in the meantime
                real.unlink()

    swapper = threading.Thread(target=swap)
    swapper.start()
    outcomes = {"written": 0, "refused": 0}
    try:
        for n in range(400):
            try:
                workspace.write_all({"d/f": f"{n}"})
                assert workspace.read("d/f") != "secret"
                outcomes["written"] += 1
            except (Invalid, WorkspaceUnavailable):
                outcomes["refused"] += 1
    finally:
        stop.set()
        swapper.join()
    assert _names(outside) == []
    assert swaps
    assert outcomes["written"] + outcomes["refused"] == 400


def test_batches_of_many_threads_do_not_mix(workspace: Workspace) -> None:
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        barrier.wait()
        for _ in range(5):
            workspace.write_all({f"d/{n}": f"{number}" for n in range(5)})

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    contents = _everything(workspace)
    assert len(contents) == 5
    assert len(set(contents.values())) == 1


def test_a_workspace_held_for_too_long_is_said(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    workspace.write_all({"x": "1"})
    monkeypatch.setattr("agent_console.gateways.workspace._LOCK_WAIT", 0.0)
    holder = os.open(workspace.root, os.O_RDONLY)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(WorkspaceUnavailable, match="Another process"):
            workspace.write_all({"x": "2"})
    finally:
        os.close(holder)
    assert workspace.write_all({"x": "2"}) == {"x": _sha("2")}


def test_a_root_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WorkspaceUnavailable):
        Workspace(tmp_path / "file" / "root").write_all({"a": "1"})
