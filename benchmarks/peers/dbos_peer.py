"""DBOS, no limit on concurrency: ``python dbos_peer.py URL drain|workflow JOBS``.

Its unit is a workflow; the workflow has three steps, and a message stands for the approval.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time

import psycopg
from cost import Cost
from dbos import DBOS

LEFT = "SELECT count(*) FROM dbos.workflow_status WHERE status NOT IN ('SUCCESS', 'ERROR')"
# The wait for a message with a timeout begins with the record of a sleep.
WAITING = "SELECT count(*) FROM dbos.operation_outputs WHERE function_name = 'DBOS.sleep'"


@DBOS.step()
def step(number: int) -> int:
    return number


@DBOS.workflow()
def noop() -> None:
    return


@DBOS.workflow()
def workflow() -> int:
    total = step(1) + step(2)
    DBOS.recv("approval", timeout_seconds=600)
    return total + step(3)


def main(url: str, kind: str, total: int) -> dict[str, float]:
    DBOS(config={"name": "bench", "system_database_url": url, "run_admin_server": False})
    DBOS.launch()
    DBOS.register_queue("bench")
    logging.disable(logging.WARNING)
    with psycopg.connect(url, autocommit=True) as connection:

        def ask(sql: str) -> int:
            return connection.execute(sql).fetchone()[0]  # type: ignore[index]

        def until(sql: str, value: int) -> None:
            while ask(sql) != value:
                time.sleep(0.01)

        if kind == "drain":
            cost = Cost(ask)
            for _ in range(total):
                DBOS.enqueue_workflow("bench", noop)
            until(LEFT, 0)
            return cost.per(total)
        cost = Cost(ask)
        handles = [DBOS.start_workflow(workflow) for _ in range(total)]
        until(WAITING, total)
        resumed = time.monotonic()
        for handle in handles:
            DBOS.send(handle.get_workflow_id(), "yes", "approval")
        until(LEFT, 0)
        return {**cost.per(total), "approved and resumed/s": total / (time.monotonic() - resumed)}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]))), flush=True)
    os._exit(0)
