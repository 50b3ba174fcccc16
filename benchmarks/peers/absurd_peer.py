"""Absurd, ten threads: ``python absurd_peer.py URL drain|workflow JOBS``.

Its unit is a task; the workflow has three steps, and an event stands for the approval. The schema
is applied by its own tool, ``absurdctl``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
from absurd_sdk import Absurd
from cost import Cost

LEFT = "SELECT count(*) FROM absurd.t_bench WHERE state NOT IN ('completed', 'failed')"
ASLEEP = "SELECT count(*) FROM absurd.t_bench WHERE state = 'sleeping'"


def main(url: str, kind: str, total: int) -> dict[str, float]:
    tool = Path(sys.executable).with_name("absurdctl")
    subprocess.run([tool, "init", "-d", url], check=True, stdout=subprocess.DEVNULL)
    app = Absurd(url, queue_name="bench")
    app.create_queue("bench")

    @app.register_task(name="noop")
    def noop(_params: Any, _ctx: Any) -> None:
        return

    @app.register_task(name="workflow")
    def workflow(params: Any, ctx: Any) -> int:
        first = ctx.step("first", lambda: 1)
        second = ctx.step("second", lambda: 2)
        ctx.await_event(f"approve-{params['n']}")
        return first + second + ctx.step("third", lambda: 3)

    with psycopg.connect(url, autocommit=True) as connection:

        def ask(sql: str) -> int:
            return connection.execute(sql).fetchone()[0]  # type: ignore[index]

        def until(sql: str, value: int) -> None:
            while ask(sql) != value:
                time.sleep(0.01)

        name = "noop" if kind == "drain" else "workflow"
        for number in range(total):
            app.spawn(name, {"n": number})
        cost = Cost(ask)
        worker = threading.Thread(target=app.start_worker, kwargs={"concurrency": 10}, daemon=True)
        worker.start()
        if kind == "drain":
            until(LEFT, 0)
            return cost.per(total)
        until(ASLEEP, total)
        resumed = time.monotonic()
        desk = Absurd(url, queue_name="bench")
        for number in range(total):
            desk.emit_event(f"approve-{number}", True)
        until(LEFT, 0)
        return {**cost.per(total), "approved and resumed/s": total / (time.monotonic() - resumed)}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]))), flush=True)
    os._exit(0)
