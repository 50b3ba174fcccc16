"""The sections of the measurement: who is measured in each, and how its table is printed."""

from __future__ import annotations

from typing import Any, NamedTuple

NAMES = ("enqueue", "drain", "backlog", "workflow", "decide", "waiting", "scale")
SMALL, LARGE = 1_000, 2_000_000


class Contender(NamedTuple):
    """A column: a module of ours, or a script of a peer, with its arguments."""

    name: str
    script: str
    arguments: tuple[str, ...] = ()
    peer: bool = False


_OURS = "benchmarks.drain"
_BOTH = {
    "enqueue": [Contender("whole product", "benchmarks.enqueue")],
    "drain": [
        Contender("bare engine", _OURS, ("bare", "5000")),
        Contender("whole product", _OURS, ("whole", "5000")),
    ],
    "backlog": [
        Contender("bare engine", _OURS, ("bare", "50000")),
        Contender("whole product", _OURS, ("whole", "50000")),
        Contender("whole product, 100,000", _OURS, ("whole", "100000")),
    ],
    "workflow": [Contender("whole product", "benchmarks.workflow")],
    "decide": [Contender("whole product", "benchmarks.decide")],
    "waiting": [Contender("whole product", "benchmarks.waiting")],
    "scale": [
        Contender(f"{total:,} jobs", "benchmarks.scale", (str(total),)) for total in (SMALL, LARGE)
    ],
}
_PEERS = {
    "sqlite": {
        "drain": [Contender("huey, fsync", "huey_peer.py", ("drain", "5000"), peer=True)],
    },
    "postgresql": {
        "enqueue": [Contender("pgqueuer", "pgqueuer_peer.py", ("enqueue",), peer=True)],
        "drain": [
            Contender("pgqueuer", "pgqueuer_peer.py", ("10", "5000"), peer=True),
            Contender("pgqueuer, batches of 100", "pgqueuer_peer.py", ("100", "5000"), peer=True),
            Contender("absurd", "absurd_peer.py", ("drain", "1000"), peer=True),
            Contender("dbos", "dbos_peer.py", ("drain", "1000"), peer=True),
        ],
        "backlog": [Contender("pgqueuer", "pgqueuer_peer.py", ("10", "50000"), peer=True)],
        "workflow": [
            Contender("absurd", "absurd_peer.py", ("workflow", "300"), peer=True),
            Contender("dbos", "dbos_peer.py", ("workflow", "300"), peer=True),
        ],
    },
}
_TITLES = {
    "enqueue": "Enqueue, no worker",
    "drain": "Drain of no-op jobs, concurrency 10, one process",
    "backlog": "The same with 50,000 queued",
    "workflow": "Three steps and one approval",
    "decide": "A thousand approvals",
    "waiting": "Ten thousand jobs that wait for people",
    "scale": "A long history: finished jobs, a twentieth of them waiting at a checkpoint",
}


def contenders(section: str, dialect: str) -> list[Contender]:
    """Return who is measured."""
    return [*_BOTH[section], *_PEERS[dialect].get(section, [])]


def table(section: str, figures: dict[str, dict[str, Any]]) -> str:
    """Return a column per contender and a row per figure; ratios are to the first of ours."""
    names = list(figures)
    rows = list(dict.fromkeys(row for one in figures.values() for row in one))
    lines = [
        f"\n### {_TITLES[section]}\n",
        f"| | {' | '.join(names)} |",
        f"|---|{'---|' * len(names)}",
    ]
    for row in rows:
        values = [figures[name].get(row) for name in names]
        cells = ["" if value is None else shown(value) for value in values]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines)


def shown(value: float) -> str:
    """Return ``value`` with about three digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
