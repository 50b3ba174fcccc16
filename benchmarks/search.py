"""Measures searches over many artifacts: ``python -m benchmarks.search URL [ARTIFACTS]``.

``URL`` names an empty database of either kind; it is filled with texts of 300 words each, whose
frequencies are those of a language. Prints milliseconds, the median and the 95th percentile.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from itertools import accumulate

from agent_console.domain.queries import ArtifactQuery
from agent_console.domain.search import index_text
from agent_console.store import migrate
from agent_console.store.database import Database
from agent_console.store.ids import new_id
from agent_console.store.reads.artifact_search import artifact_search
from agent_console.store.runs import ARTIFACT_WORDS
from agent_console.store.transactions import Tx

VOCABULARY, LENGTH, BATCH, TRIES = 50_000, 300, 2_000, 40
TYPES = ("research_finding", "content_draft", "report", "generic_output", "file")
COLUMNS = (
    "id", "job_id", "position", "name", "artifact_type", "media_type", "content", "size",
    "digest", "metadata", "created_at",
)  # fmt: skip
JOB = """
INSERT INTO ai_jobs (id, job_type, status, task_description, input_data, priority, attempts,
  max_attempts, claims, resuming, claim_token, metadata, run_at, created_at, updated_at)
VALUES (:id, 'bench', 'COMPLETED', '', '{}', 5, 1, 1, 1, 0, 1, '{}', 1, 1, 1)
"""
SEARCHES = {
    "a word of every artifact": "artifact",
    "the two commonest words": "aao0 bao1",
    "beginnings of many words": "aao art",
    "a word of one in 10,000": "needle",
    "both": "artifact needle",
    "no artifact's word": "haystack",
}


def word(number: int) -> str:
    """Return one of the words; their beginnings are spread over the alphabet."""
    return f"{chr(97 + number % 26)}{chr(97 + number // 26 % 26)}o{number}"


def rows(count: int, job_id: str) -> Iterator[tuple[object, ...]]:
    """Yield rows of ``work_artifacts``."""
    rng = random.Random(1)
    vocabulary = [word(number) for number in range(VOCABULARY)]
    weights = list(accumulate(1 / (number + 1) for number in range(VOCABULARY)))
    for number in range(count):
        text = " ".join(rng.choices(vocabulary, cum_weights=weights, k=LENGTH))
        text += " needle" if number % 10_000 == 7 else ""
        kind = TYPES[number % len(TYPES)]
        name = f"artifact {number}"
        yield (
            new_id("art"), job_id, number, name, kind, "text/plain", text, len(text), "", "{}",
            number,
        )  # fmt: skip


def fill(db: Database, count: int) -> None:
    job_id = new_id("job")
    db.write(lambda tx: tx.execute(JOB, {"id": job_id}))
    batch: list[tuple[object, ...]] = []

    def save(tx: Tx) -> None:
        tx.insert("work_artifacts", COLUMNS, batch)
        for row in batch:
            facts = {"artifact_id": str(row[0]), "job_id": job_id, "artifact_type": str(row[4])}
            words = index_text(facts, str(row[3]), str(row[6]))
            tx.execute(ARTIFACT_WORDS, {"id": row[0], "words": words})

    for row in rows(count, job_id):
        batch.append(row)
        if len(batch) == BATCH:
            db.write(save)
            batch.clear()
    db.write(save)
    if db.dialect == "postgresql":
        db.write(lambda tx: tx.execute("ANALYZE"))


def measure(db: Database, query: ArtifactQuery) -> tuple[float, float, str]:
    times = []
    for _ in range(TRIES):
        with db.read() as reader:
            start = time.perf_counter()
            page = artifact_search(reader, query)
            times.append((time.perf_counter() - start) * 1000)
    times.sort()
    found = f"{page.total:,}{'+' if page.total_capped else ''}"
    return times[TRIES // 2], times[int(TRIES * 0.95)], found


def main(url: str, count: int = 100_000) -> None:
    migrate.upgrade(url)
    db = Database(url)
    start = time.perf_counter()
    fill(db, count)
    print(f"{db.dialect}: {count:,} artifacts in {time.perf_counter() - start:.0f} s")
    for name, search in SEARCHES.items():
        for kind in (None, "report"):
            query = ArtifactQuery(search=search, artifact_type=kind, limit=25)
            median, high, found = measure(db, query)
            what = f"{name}{', reports only' if kind else ''}"
            print(f"{what:42} {found:>8} found  {median:7.1f} ms  {high:7.1f} ms")
    db.close()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
