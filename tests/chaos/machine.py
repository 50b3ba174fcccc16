"""Random lives of jobs, lived by the model and by both databases at once; Hypothesis draws them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent_console.domain.clock import to_micros
from agent_console.store.database import Database
from agent_console.testing import FakeClock
from tests.chaos import pictures
from tests.chaos.model import ENDS, LOST, SECOND, Job, Key, Model, Question
from tests.chaos.real import Real

WORKERS = ("w0", "w1", "w2")
TIMEOUT, MAX_CLAIMS = 15 * SECOND, 3
ERRORS = (None, "ValueError", "agent_console.Rejected")
VERDICTS = ("approve", "approve", "reject", "request_changes")
any_number = st.integers(0, 2**16)
worker = st.sampled_from(WORKERS)

# One empty database of each kind, the clock of both, and what gives them back.
Opened = tuple[Mapping[str, Database], FakeClock, Callable[[], None]]
Opener = Callable[[], Opened]


class Lives(RuleBasedStateMachine):
    """Every rule does the same to the model and to each database; the answers must be equal."""

    opener: Opener

    def __init__(self) -> None:
        super().__init__()
        databases, self.clock, self._close = type(self).opener()
        self.real = {name: Real(db, self.clock) for name, db in databases.items()}
        self.model = Model(to_micros(self.clock.now()))
        self.keys: list[Key] = []
        self.tokens: list[tuple[str, str]] = []

    def teardown(self) -> None:
        self._close()

    def both(self, expected: Any, act: Callable[[Real], Any]) -> Any:
        """Act on each database; return the answer, which must be the model's."""
        answers = {name: act(real) for name, real in self.real.items()}
        assert answers == dict.fromkeys(self.real, expected)
        return expected

    def job(self, pick: int) -> Job:
        return list(self.model.jobs.values())[pick % len(self.model.jobs)]

    def key(self, pick: int) -> Key:
        """Return a claim: mostly one that holds, now and then one that is stale."""
        held = [key for key in self.keys if self.model.jobs[key[0]].owns(key)]
        chosen = held if held and pick % 5 else self.keys
        return chosen[pick // 5 % len(chosen)]

    def position(self, key: Key) -> int:
        return self.model.jobs[key[0]].position

    # --- from outside ---------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.add(1, 0, 2, True)
        self.beat("w0")

    @rule(
        priority=st.integers(0, 2),
        delay=st.sampled_from([0, 0, 0, 5 * SECOND]),
        attempts=st.integers(1, 3),
        start=st.sampled_from([True, True, True, False]),
    )
    def add(self, priority: int, delay: int, attempts: int, start: bool) -> None:
        job_id = f"job_{len(self.model.jobs):03}"
        self.model.enqueue(job_id, priority, delay, attempts, start)
        self.both(None, lambda real: real.enqueue(job_id, priority, delay, attempts, start))

    @rule(pick=any_number, verb=st.sampled_from(["execute", "pause", "resume", "retry", "cancel"]))
    def control(self, pick: int, verb: str) -> None:
        job = self.job(pick)
        self.both(self.model.control(job, verb), lambda real: real.control(job.id, verb))

    @precondition(lambda self: self.model.questions)
    @rule(pick=any_number, verb=st.sampled_from(VERDICTS))
    def decide(self, pick: int, verb: str) -> None:
        asked = self.model.questions
        waiting = [q for q in asked if q.status == "PENDING"]
        chosen = waiting if waiting and pick % 5 else asked
        question = chosen[pick // 5 % len(chosen)]
        expected = self.model.decide(question, verb)
        self.both(expected, lambda real: real.decide(question.number, verb))

    @rule()
    def expire(self) -> None:
        self.both(self.model.expire_due(), lambda real: real.expire_due())

    @precondition(lambda self: self.tokens)
    @rule(pick=any_number, body=st.sampled_from(['"yes"', '"no"']))
    def answer(self, pick: int, body: str) -> None:
        job_id, token = self.tokens[pick % len(self.tokens)]
        expected = self.model.receive(self.model.jobs[job_id], token, body)
        self.both(expected, lambda real: real.receive(job_id, token, body))

    def approved(self) -> list[Question]:
        """Return approvals that are to be executed upon, at most one of each job."""
        found = {
            q.job: q
            for q in self.model.questions
            if q.status == "APPROVED"
            and q.blocking
            and q.position >= 0
            and self.model.jobs[q.job].status == "QUEUED"
        }
        spoilt = {q.job for q in self.model.questions if q.tampered}
        return [q for job_id, q in found.items() if job_id not in spoilt]

    @precondition(lambda self: self.approved())
    @rule(pick=any_number)
    def tamper(self, pick: int) -> None:
        found = self.approved()
        question = found[pick % len(found)]
        self.model.tamper(question)
        self.both(None, lambda real: real.tamper(question.number))

    @rule(seconds=st.sampled_from([0.000001, 1, 5, 10, 3600, 90_000]))
    def time_passes(self, seconds: float) -> None:
        self.model.now = to_micros(self.clock.advance(seconds))

    # --- runs -------------------------------------------------------------------------------

    @rule(who=worker, priority=st.integers(0, 2), attempts=st.integers(1, 3))
    def begin_here(self, who: str, priority: int, attempts: int) -> None:
        job_id = f"job_{len(self.model.jobs):03}"
        expected = self.model.begin(job_id, who, priority, attempts)
        self.both(expected, lambda real: real.begin(job_id, who, priority, attempts))
        self.keys += [expected]

    @rule(who=worker, room=st.integers(1, 3))
    def claim(self, who: str, room: int) -> None:
        expected = self.model.claim(who, room)
        self.both(expected, lambda real: real.claim(who, room))
        self.keys += expected

    @precondition(lambda self: self.keys)
    @rule(pick=any_number, kind=st.sampled_from(["step", "note", "artifact", "usage", "policy"]))
    def record(self, pick: int, kind: str) -> None:
        key = self.key(pick)
        position = self.position(key)
        self.both(self.model.record(key, kind), lambda real: real.record(key, kind, position))

    @precondition(lambda self: self.keys)
    @rule(pick=any_number, kind=st.sampled_from(["line", "progress", "preview"]))
    def say(self, pick: int, kind: str) -> None:
        key = self.key(pick)
        self.both(self.model.say(key, kind), lambda real: real.say(key, kind))

    @precondition(lambda self: self.keys)
    @rule(
        pick=any_number,
        expires_in=st.sampled_from([None, 5 * SECOND, 3600 * SECOND]),
        rounds=st.sampled_from([None, 3]),
    )
    def suspend(self, pick: int, expires_in: int | None, rounds: int | None) -> None:
        key = self.key(pick)
        position = self.position(key)
        expected = self.model.suspend(key, expires_in, rounds)
        self.both(expected, lambda real: real.suspend(key, position, expires_in, rounds))

    @precondition(lambda self: self.keys)
    @rule(pick=any_number, seconds=st.sampled_from([0, 5, 3600]), called=st.booleans())
    def sleep(self, pick: int, seconds: int, called: bool) -> None:
        key = self.key(pick)
        job = self.model.jobs[key[0]]
        calls = [s.position for s in job.steps if s.kind == "callback"]
        callback = calls[-1] if called and calls else None
        position, duration = job.position, seconds * SECOND
        expected = self.model.sleep(key, duration, callback)
        self.both(expected, lambda real: real.sleep(key, position, duration, callback))

    @precondition(lambda self: self.keys)
    @rule(pick=any_number)
    def settle(self, pick: int) -> None:
        key = self.key(pick)
        steps = self.model.jobs[key[0]].steps
        if steps and steps[-1].open_wait:
            position = steps[-1].position
            expected = self.model.settle(key, position)
            self.both(expected, lambda real: real.settle(key, position))

    @precondition(lambda self: self.keys)
    @rule(pick=any_number)
    def hand_out_a_token(self, pick: int) -> None:
        key = self.key(pick)
        position, token = self.position(key), f"token {len(self.tokens)}"
        if (
            self.both(
                self.model.record(key, "callback"),
                lambda real: real.record(key, "callback", position),
            )
            != LOST
        ):
            self.both(
                self.model.admit(key, position, token),
                lambda real: real.admit(key, position, token),
            )
            self.tokens.append((key[0], token))

    @precondition(lambda self: self.keys)
    @rule(
        picks=st.lists(
            st.tuples(any_number, st.sampled_from(list(ENDS)), st.sampled_from(ERRORS)),
            min_size=1,
            max_size=3,
        )
    )
    def finish(self, picks: list[tuple[int, str, str | None]]) -> None:
        ends = {self.key(pick): (verb, error) for pick, verb, error in picks}
        batch = [
            (key, verb, SECOND * (verb == "retry_later"), error if verb == "fail" else None)
            for key, (verb, error) in ends.items()
        ]
        self.both(self.model.finish(batch), lambda real: real.finish(batch))

    @precondition(lambda self: self.keys)
    @rule(picks=st.lists(any_number, min_size=1, max_size=3))
    def give_back(self, picks: list[int]) -> None:
        keys = list(dict.fromkeys(self.key(pick) for pick in picks))
        self.both(self.model.give_back(keys), lambda real: real.give_back(keys))

    # --- workers ----------------------------------------------------------------------------

    @rule(who=worker)
    def beat(self, who: str) -> None:
        claims = [key for key in self.keys if key[2] == who]
        # A worker that remembers two claims of one job knows the older one to be gone.
        latest = list({key[0]: key for key in claims}.values())
        self.both(self.model.beat(who, latest), lambda real: real.beat(who, latest))

    @rule(who=worker)
    def crash(self, who: str) -> None:
        expected = self.model.rescue(TIMEOUT, MAX_CLAIMS, [who])
        self.both(expected, lambda real: real.rescue(TIMEOUT, MAX_CLAIMS, [who]))

    @rule()
    def sweep(self) -> None:
        expected = self.model.rescue(TIMEOUT, MAX_CLAIMS, [])
        self.both(expected, lambda real: real.rescue(TIMEOUT, MAX_CLAIMS, []))

    # --- always -----------------------------------------------------------------------------

    @invariant()
    def everything_agrees(self) -> None:
        expected = pictures.of_model(self.model)
        for name, real in self.real.items():
            found = pictures.of_database(real.db)
            for part, wanted in expected.items():
                assert found[part] == wanted, f"{part} on {name}"

    @invariant()
    def a_job_waits_exactly_as_long_as_its_question_is_open(self) -> None:
        for job in self.model.jobs.values():
            is_open = self.model.open_question(job) is not None
            assert is_open or job.status != "WAITING"
            assert not is_open or job.status in ("WAITING", "PAUSED")

    @invariant()
    def the_journal_is_a_chain(self) -> None:
        for job in self.model.jobs.values():
            moves = [e for e in job.journal if e[0].startswith("job.") and e[2] is not None]
            before = [None, *(after for _, _, after in moves)]
            assert [move[1] for move in moves] == before[:-1]
            assert job.status == before[-1]
