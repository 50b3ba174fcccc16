"""Calls that would open a hole or hide an error are not in the sources."""

from __future__ import annotations

import ast
import re

from tests.architecture.sources import PACKAGE, ROOT, calls, modules

# Reflex sends these through eval() in the browser, or puts raw HTML there.
FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "os.system",
    "pickle.loads",
    "rx.alert",
    "rx.call_function",
    "rx.call_script",
    "rx.console_log",
    "rx.html",
    "rx.run_script",
    "rx.script",
    "rx.toast",
    "rx.upload",
    "rx.window_alert",
    "yaml.load",
}
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")


def test_forbidden_calls_are_absent() -> None:
    found = [
        f"{where} {name}"
        for where, call in calls()
        for name in FORBIDDEN_CALLS
        if (written := ast.unparse(call.func)) == name or written.startswith(f"{name}.")
    ]
    assert found == []


def test_markdown_never_lets_raw_html_through() -> None:
    found = [
        where
        for where, call in calls()
        if ast.unparse(call.func) == "rx.markdown"
        and "use_raw=False" not in {f"{k.arg}={ast.unparse(k.value)}" for k in call.keywords}
    ]
    assert found == []


def test_raw_html_is_set_nowhere() -> None:
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "assets").glob("*.js")]
    words = (
        "dangerouslySetInnerHTML",
        "dangerously_set_inner_html",
        ".innerHTML",
        "insertAdjacent",
    )
    assert [
        f"{path.name}: {word}"
        for path in files
        for word in words
        if word in path.read_text("utf-8")
    ] == []


def test_no_error_is_swallowed() -> None:
    silent = [
        f"{name}:{node.lineno}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and len(node.body) == 1
        and isinstance(node.body[0], ast.Pass)
    ]
    assert silent == []


def test_nothing_is_left_unfinished() -> None:
    files = [
        path
        for folder in ("agent_console", "alembic", "assets", "benchmarks", "tests")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".js", ".css"} and "external" not in path.parts
    ]
    assert files
    assert [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if UNFINISHED.search(line)
    ] == []


def test_tests_neither_sleep_nor_look_away() -> None:
    words = re.compile(r"time\.sleep\(|pytest\.(skip|xfail|mark\.(skip|skipif|xfail))\b")
    # Programs of their own, seen only from outside: a browser's server, a process to be killed.
    outside = {"e2e", "crash"}
    here = ROOT / "tests"
    assert [
        f"{path.relative_to(ROOT)}:{number}"
        for path in here.rglob("*.py")
        if path.name != "test_forbidden.py" and outside.isdisjoint(path.parts)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if words.search(line)
    ] == []


def test_tests_wait_for_something_instead_of_sleeping() -> None:
    """Only the browser tests poll other processes, which give no other sign."""
    folder = ROOT / "tests"
    files = [path for path in folder.rglob("*.py") if path.relative_to(folder).parts[0] != "e2e"]
    assert len(files) > 50
    # A sleep of nothing only lets other tasks have a turn.
    sleeping = re.compile(r"\b(?:time|asyncio)\.sl" r"eep\((?!0\))")
    assert [p.name for p in files if sleeping.search(p.read_text("utf-8"))] == []
