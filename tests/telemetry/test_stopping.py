"""A process that does not end says what it waits for."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading

import pytest

from agent_console.telemetry.stopping import StopWatch


async def hold_on(until: asyncio.Event) -> None:
    await until.wait()


def test_who_holds_up_a_stop_is_named(caplog: pytest.LogCaptureFixture) -> None:
    let_go = threading.Event()
    said = threading.Event()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "hold_on" in record.getMessage():
                said.set()

    def stubborn() -> None:
        let_go.wait(20)

    async def stop() -> None:
        until = asyncio.Event()
        waiting = asyncio.create_task(hold_on(until), name="of|a-browser's-token")
        await asyncio.to_thread(lambda: None)  # it has begun to wait
        watch = StopWatch(0.01)
        watch.start()
        watch.start()  # by a second signal
        await asyncio.to_thread(said.wait, 20)
        until.set()
        await waiting

    log = logging.getLogger("agent_console.telemetry.stopping")
    log.addHandler(listener := Listener())
    thread = threading.Thread(target=stubborn, name="a handler")
    thread.start()
    try:
        with caplog.at_level(logging.WARNING):
            asyncio.run(stop())
    finally:
        let_go.set()
        thread.join()
        log.removeHandler(listener)
    text = "\n".join(caplog.messages)
    assert text.count("told to stop") == 1
    assert "still there: thread a handler: threading.wait" in text
    assert f"{__name__}.stubborn:" in text
    assert f"still there: task hold_on: {__name__}.hold_on:" in text
    assert "token" not in text


def test_nothing_is_said_of_a_stop_that_came_to_its_end(caplog: pytest.LogCaptureFixture) -> None:
    async def stop() -> threading.Timer:
        watch = StopWatch(3600)
        watch.stop()  # before anything was asked of it
        watch.start()
        watch.stop()
        assert watch._timer is not None
        return watch._timer

    timer = asyncio.run(stop())
    timer.join(10)
    assert not timer.is_alive()
    assert caplog.messages == []


LEFT = """
import asyncio, logging, threading
from agent_console.telemetry.stopping import StopWatch

async def stop():
    StopWatch(3600).let_go(0.1)

logging.basicConfig()
threading.Thread(target=threading.Event().wait, name="a library's").start()
asyncio.run(stop())
"""


def test_who_is_left_behind_is_named_and_not_waited_for() -> None:
    command = [sys.executable, "-c", LEFT]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0
    assert "left behind: thread a library's: threading.wait" in ended.stderr
