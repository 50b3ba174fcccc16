"""``python -m benchmarks``: floor, product and peers in one run, as Markdown tables.

``--only latency,enqueue,drain,backlog,workflow,decide,waiting,scale`` chooses sections, ``--on``
databases.

Ratios within a run mean something; absolute figures are of the machine, at that moment. Peers are
installed into ``.venv-bench``; without a network they are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import sections
from tests.support.databases import PostgresServer, SqliteFiles

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
VENV = ROOT / ".venv-bench"
PEERS = {
    "sqlite": [("huey (fsync)", "huey_peer.py", ())],
    "postgresql": [
        ("pgqueuer", "pgqueuer_peer.py", ("10",)),
        ("pgqueuer, batches of 100", "pgqueuer_peer.py", ("100",)),
        ("procrastinate", "procrastinate_peer.py", ()),
    ],
}
NAMES = {"sqlite": "SQLite, synchronous=FULL", "postgresql": "PostgreSQL, fsync on"}
Figures = dict[str, Any]


def main() -> None:
    names = ("latency", *sections.NAMES)
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("--no-peers", action="store_true", help="measure floor and product only")
    options.add_argument("--only", default=",".join(names), help="sections, with commas between")
    options.add_argument("--on", default=",".join(NAMES), help="databases, with commas between")
    options.add_argument("--json", type=Path, help="write the raw figures there, too")
    chosen = options.parse_args()
    wanted = [name for name in names if name in chosen.only.split(",")]
    peers = None if chosen.no_peers else peer_python()
    everything: dict[str, dict[str, Figures]] = {}
    with tempfile.TemporaryDirectory(prefix="agent-console-bench-") as folder:
        server = PostgresServer(folder, durable=True)
        try:
            for dialect in [name for name in NAMES if name in chosen.on.split(",")]:
                print(f"\n## {NAMES[dialect]}", flush=True)
                found = everything[dialect] = {}
                for name in wanted:
                    place = Path(folder) / dialect / name
                    place.mkdir(parents=True)
                    if name == "latency":
                        found[name] = measure(dialect, server, place, peers)
                        print(table(dialect, found[name]), flush=True)
                    else:
                        found[name] = section(name, dialect, server, place, peers)
                        print(sections.table(name, found[name]), flush=True)
        finally:
            server.close()
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(everything, indent=2))


def section(
    name: str, dialect: str, server: PostgresServer, folder: Path, peers: str | None
) -> Figures:
    """Return the figures of each contender of a section, each on a database of its own."""
    figures: Figures = {}
    for one in sections.contenders(name, dialect):
        if one.peer and not peers:
            continue
        if one.peer:
            with empty(dialect, server, folder) as url:
                place = url.removeprefix("sqlite:///")
                command = [str(peers), str(HERE / "peers" / one.script), place, *one.arguments]
                figures[one.name] = run(command)
            continue
        with migrated(dialect, server, folder) as url:
            where = () if name == "scale" else (str(folder),)
            command = [sys.executable, "-m", one.script, url, *where, *one.arguments]
            figures[one.name] = run(command)
    return figures


@contextmanager
def migrated(dialect: str, server: PostgresServer, folder: Path) -> Iterator[str]:
    """Yield the URL of a database with the product's tables."""
    if dialect == "postgresql":
        with server.database() as url:
            yield url
        return
    with SqliteFiles(folder).database(folder) as url:
        yield url
    for file in folder.glob("console.db*"):
        file.unlink()


def peer_python() -> str | None:
    """Return the interpreter of the peers' environment, made on first use."""
    python = VENV / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        requirements = ["-r", str(HERE / "requirements-bench.txt")]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"Peers are left out: {error}\n", file=sys.stderr)
        return None
    return str(python)


def measure(dialect: str, server: PostgresServer, folder: Path, peers: str | None) -> Figures:
    """Return the figures of floor, product and peers on one kind of database."""
    figures: Figures = {"peers": {}}
    with empty(dialect, server, folder) as url:
        figures["floor"] = run([sys.executable, "-m", "benchmarks.floor", url])
    with migrated(dialect, server, folder) as url:
        figures["product"] = run([sys.executable, "-m", "benchmarks.product", url, str(folder)])
    for name, script, arguments in PEERS[dialect] if peers else ():
        with empty(dialect, server, folder) as url:
            place = url.removeprefix("sqlite:///")
            command = [str(peers), str(HERE / "peers" / script), place, *arguments]
            figures["peers"][name] = run(command)
    return figures


@contextmanager
def empty(dialect: str, server: PostgresServer, folder: Path) -> Iterator[str]:
    """Yield the URL of a database with nothing in it."""
    if dialect == "postgresql":
        with server.empty() as url:
            yield url
        return
    path = folder / "empty.db"
    yield f"sqlite:///{path}"
    for file in folder.glob("empty.db*"):
        file.unlink()


def run(command: list[str]) -> Figures:
    """Run a measurement in a process of its own, its log lines to a file."""
    with tempfile.TemporaryFile("w+") as errors:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)])},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            check=False,
        )
        if done.returncode:
            errors.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{errors.read()[-4000:]}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def table(dialect: str, figures: Figures) -> str:
    """Return the figures of one database as Markdown."""
    product, floor = figures["product"], figures["floor"]
    one, *_, many = floor
    lines = [
        f"\n### Enqueue, drain, latency ({NAMES[dialect]})\n",
        "| | enqueue one by one /s | drain of no-op jobs /s | start p50 / p95 ms |",
        "|---|---|---|---|",
        row(
            "agent_console",
            product["enqueue 1 thread"],
            product["drain"],
            product["start, same process, since the call"],
        ),
        *(
            row(f"… {how}", None, None, product[f"start, {how}"])
            for how in (
                "same process, since the answer",
                "other process, since the call",
                "other process, since the answer",
            )
        ),
        row("… from 10 threads", product["enqueue 10 threads"], None, None),
        row(f"floor: {one}; {many}", floor[one], floor[many], None),
    ]
    for name, peer in figures["peers"].items():
        waits = statistics.quantiles(peer["start"], n=20)
        start = {"p50": statistics.median(peer["start"]), "p95": waits[18]}
        lines.append(row(name, peer["enqueue 1 thread"], peer["drain"], start))
    lines += ["", *ratios(product, floor, figures["peers"])]
    return "\n".join(lines)


def ratios(product: Figures, floor: Figures, peers: Figures) -> list[str]:
    """Return the sentences below the table."""
    one, *_, many = floor
    of_floor = product["enqueue 1 thread"] / floor[one], product["drain"] / floor[many]
    lines = [f"- enqueue: {of_floor[0]:.2f} of the floor; drain: {of_floor[1]:.2f} of the floor"]
    if peers:
        enqueue = max(peer["enqueue 1 thread"] for peer in peers.values())
        drain = max(peer["drain"] for peer in peers.values())
        lines.append(
            f"- against the best peer of this run: enqueue "
            f"{product['enqueue 1 thread'] / enqueue:.2f}×, drain {product['drain'] / drain:.2f}×"
        )
    for how in (name for name in product if name.startswith("resume, ")):
        waits = product[how]
        lines.append(
            f"- approve → {how}, a thousand jobs parked: "
            f"p50 {waits['p50']:.1f} ms, p95 {waits['p95']:.1f} ms"
        )
    idle = ", ".join(f"{value:.2f} {name}" for name, value in product["idle"].items())
    return [*lines, f"- an idle worker: {idle}"]


def row(
    name: str, enqueue: float | None, drain: float | None, start: dict[str, float] | None
) -> str:
    """Return one line of the table."""
    waits = "" if start is None else f"{start['p50']:.1f} / {start['p95']:.1f}"
    rates = ["" if rate is None else f"{rate:,.0f}" for rate in (enqueue, drain)]
    return f"| {name} | {rates[0]} | {rates[1]} | {waits} |"


if __name__ == "__main__":
    main()
