"""The desk: what waits for a decision, and the only door to a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from agent_console.domain.access import Actor, Permission, authorize, refusal
from agent_console.domain.checkpoints import (
    Checkpoint,
    CheckpointStatus,
    CheckpointSummary,
    Round,
    Verdict,
    changes_refusal,
)
from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import Invalid, NotFound
from agent_console.domain.events import JournalEntry
from agent_console.domain.jobs import Job, Json
from agent_console.domain.presence import Viewer
from agent_console.domain.queries import CheckpointQuery
from agent_console.domain.records import Artifact, LogLine, Page
from agent_console.domain.review_claims import ReviewClaim
from agent_console.domain.review_policies import DEFAULT, ReviewPolicy, SelfApproval, Tally, Vote
from agent_console.domain.rounds import chain_of, difference
from agent_console.domain.rulings import MAX_AT_ONCE, Item
from agent_console.gateways.workspace import Workspace
from agent_console.services import (
    job_requests,
    list_queries,
    review_many,
    review_policy,
    standing,
)
from agent_console.services.evidence import moved_bases
from agent_console.services.review_many import DecidedMany
from agent_console.store import decisions, presence, review_claims
from agent_console.store import undo as store_undo
from agent_console.store.database import Database, Reader
from agent_console.store.reads import checkpoints, counts, journal, records
from agent_console.store.reads import jobs as job_reads
from agent_console.store.transactions import Queries, Tx

LOG_TAIL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointDetail:
    """Everything the review card shows, of one moment.

    ``refusal`` is "" when the reader may decide, else why not; ``changes_refusal`` the same for
    requesting changes. ``self_approval`` says that the decision would be on a job of their own.
    ``chain`` are all rounds of this proposal, oldest first, empty while there is only one;
    ``previous`` is the round before and ``since_last`` what differs from it, in the form of
    ``changes``. ``claim`` holds now, whoever has it; ``claim_own`` says
    that it is the reader's, ``may_claim`` that they could have it. ``policy`` is the one that holds
    or, once decided, the version that was applied; ``votes`` count under it. ``approve_refusal``
    says why approving what was proposed would add nothing, though the reader may decide; ``reader``
    is who they are among those who voted. ``others`` look at it as well, ``first_seen_at`` is when
    anybody first did. ``moved`` are files of the workspace that changed since this was asked.
    """

    checkpoint: Checkpoint
    job: Job
    logs: list[LogLine]
    artifacts: list[Artifact]
    history: list[JournalEntry]
    edit_schema: dict[str, Json] | None
    may_decide: bool
    refusal: str
    self_approval: bool
    changes_refusal: str
    chain: list[Round]
    previous: Checkpoint | None
    since_last: list[dict[str, Json]]
    claim: ReviewClaim | None
    claim_own: bool
    may_claim: bool
    policy: ReviewPolicy = DEFAULT
    votes: list[Vote] = field(default_factory=list)
    approve_refusal: str = ""
    reader: str = ""
    others: Sequence[Viewer] = ()
    first_seen_at: datetime | None = None
    moved: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The checkpoint; ``replayed`` says that the request was a repetition.

    ``tally``: the verdict counts, but more people have to agree, and it is still open.
    """

    checkpoint: Checkpoint
    replayed: bool
    tally: Tally | None = None


class ReviewService:
    """Use cases of checkpoints. Every method checks the actor's permission itself."""

    def __init__(
        self, db: Database, *, self_approval: SelfApproval, workspace: Workspace | None = None
    ) -> None:
        """Work on ``db``; ``self_approval`` says who may decide what they asked for themselves.

        Proposals are compared with ``workspace`` as it is now; None: with nothing.
        """
        self._db = db
        self._workspace = workspace
        self._self_approval: SelfApproval = self_approval

    def page(self, actor: Actor, query: CheckpointQuery) -> Page[CheckpointSummary]:
        """Return one page: pending checkpoints by deadline, others newest first.

        Raises:
            Invalid: an unknown status or type, a limit out of bounds, a strange cursor.
        """
        authorize(actor, Permission.CHECKPOINTS_READ)
        list_queries.check_checkpoints(query)
        with self._db.read() as reader:
            return checkpoints.page(reader, query)

    def get(self, actor: Actor, checkpoint_id: str) -> CheckpointDetail:
        """Return the checkpoint with its context.

        Raises:
            NotFound: there is no such checkpoint.
        """
        authorize(actor, Permission.CHECKPOINTS_READ)
        with self._db.read() as reader:
            checkpoint = checkpoints.get(reader, checkpoint_id)
            job = None if checkpoint is None else job_reads.get(reader, checkpoint.job_id)
            if checkpoint is None or job is None:
                raise NotFound(f"There is no checkpoint {checkpoint_id}.")
            claim = review_claims.live(reader, [checkpoint_id]).get(checkpoint_id)
            ruled = standing.of(reader, actor, checkpoint)
            unfit = self._refusal(reader, actor, checkpoint, ruled.policy)
            me = job_requests.who(actor)
            why_not = unfit or ("" if claim is None else claim.refusal(me))
            before = _before(reader, checkpoint)
            seen = presence.of(reader, checkpoint_id)
            detail = CheckpointDetail(
                checkpoint=checkpoint,
                job=job,
                logs=records.last_logs(reader, job.id, LOG_TAIL),
                artifacts=records.artifacts(reader, job.id),
                history=journal.timeline(reader, job.id),
                edit_schema=checkpoints.edit_schema(reader, checkpoint_id),
                may_decide=not why_not,
                refusal=why_not,
                self_approval=review_policy.is_own(actor, checkpoint),
                changes_refusal=why_not or changes_refusal(checkpoint),
                chain=_chain(reader, checkpoint),
                previous=before,
                since_last=[] if before is None else difference(before, checkpoint),
                claim=claim,
                claim_own=claim is not None and claim.user_id == me,
                may_claim=not unfit,
                policy=ruled.policy,
                votes=ruled.votes,
                approve_refusal=why_not or ruled.approve_refusal,
                reader=actor.who,
                others=[one for one in seen.viewers if one.user_id != me],
                first_seen_at=seen.first_seen_at,
            )
        # Reads files: not while the snapshot is held.
        return replace(detail, moved=moved_bases(detail.checkpoint, self._workspace))

    def for_job(self, actor: Actor, job_id: str) -> list[Checkpoint]:
        """Return the job's checkpoints, oldest first.

        Raises:
            NotFound: there is no such job.
        """
        authorize(actor, Permission.CHECKPOINTS_READ)
        with self._db.read() as reader:
            if job_reads.get(reader, job_id) is None:
                raise NotFound(f"There is no job {job_id}.")
            return checkpoints.of_job(reader, job_id)

    def pending_count(self, actor: Actor) -> int:
        """Return how many checkpoints wait for somebody."""
        authorize(actor, Permission.CHECKPOINTS_READ)
        with self._db.read() as reader:
            return counts.pending_checkpoints(reader)

    def decide(
        self,
        actor: Actor,
        checkpoint_id: str,
        verdict: Verdict,
        *,
        idempotency_key: str | None = None,
        hold: float = 0.0,
    ) -> Checkpoint:
        """Decide as ``decide_once`` does; return the checkpoint."""
        done = self.decide_once(
            actor, checkpoint_id, verdict, idempotency_key=idempotency_key, hold=hold
        )
        return done.checkpoint

    def decide_once(
        self,
        actor: Actor,
        checkpoint_id: str,
        verdict: Verdict,
        *,
        idempotency_key: str | None = None,
        hold: float = 0.0,
    ) -> Decided:
        """Approve, reject or request changes; it, job and journal change in one transaction.

        For ``hold`` seconds, unless its review policy says otherwise, the job waits, and the
        decision can be undone. Where that policy wants more people to agree, the verdict is kept as
        a vote until they do.

        The same actor repeating the same verdict with the same key gets the first answer.

        Raises:
            Forbidden: no permission, or the review policy asks others.
            Invalid: the verdict lacks something, or its edits do not fit.
            NotFound: there is no such checkpoint.
            Conflict: somebody was faster or has claimed it, it expired, its job is over, the
                payload differs from what was shown, there is no round for changes, or the actor
                has said the same already and others have to.
        """
        authorize(actor, Permission.CHECKPOINTS_DECIDE)
        review_policy.check_form(verdict)
        key = job_requests.request_key(
            actor, f"decide {checkpoint_id}", idempotency_key, asdict(verdict)
        )

        outcome = self._db.write(
            lambda tx: decisions.decide(
                tx,
                checkpoint_id,
                verdict,
                actor=actor,
                key=key,
                check=review_policy.checker(actor, self._self_approval),
                hold=int(hold * MICROSECONDS),
            )
        )
        crashpoint("decide.committed")
        if outcome.too_late is not None:
            raise outcome.too_late
        return Decided(
            checkpoint=outcome.checkpoint, replayed=outcome.replayed, tally=outcome.tally
        )

    def decide_many(
        self,
        actor: Actor,
        items: Sequence[Item],
        verdict: Verdict,
        *,
        idempotency_key: str | None = None,
        hold: float = 0.0,
    ) -> DecidedMany:
        """Approve, or reject with one reason, up to 1,000 checkpoints; say what became of each.

        Each is decided as by ``decide_once``, ``hold`` included; one that is refused keeps the
        others not back.

        Raises:
            Forbidden: no permission.
            Invalid: no checkpoints or too many, one twice, or not such a verdict.
            Conflict: the idempotency key was used otherwise.
        """
        authorize(actor, Permission.CHECKPOINTS_DECIDE)
        return review_many.decide_many(
            self._db,
            actor,
            items,
            verdict,
            policy=self._self_approval,
            key=idempotency_key,
            hold=int(hold * MICROSECONDS),
        )

    def undo(self, actor: Actor, checkpoint_id: str) -> Checkpoint:
        """Take back what the actor decided, while the job has not gone on upon it.

        Raises:
            Forbidden: no permission.
            NotFound: there is no such checkpoint.
            Conflict: nothing is decided, somebody else decided, or it is too late.
        """
        authorize(actor, Permission.CHECKPOINTS_DECIDE)

        def work(tx: Tx) -> None:
            if not store_undo.undo(tx, [checkpoint_id], actor):
                raise store_undo.refusal(tx, checkpoint_id, actor)

        self._db.write(work)
        return self.get(actor, checkpoint_id).checkpoint

    def undo_many(self, actor: Actor, checkpoint_ids: Sequence[str]) -> list[str]:
        """Take back what the actor decided; return the ids of those that are open again.

        Raises:
            Forbidden: no permission.
            Invalid: none, or too many.
        """
        authorize(actor, Permission.CHECKPOINTS_DECIDE)
        if not 0 < len(checkpoint_ids) <= MAX_AT_ONCE:
            raise Invalid.field("ids", f"1 to {MAX_AT_ONCE:,} checkpoints.")
        return self._db.write(lambda tx: store_undo.undo(tx, checkpoint_ids, actor))

    def _refusal(
        self, reader: Queries, actor: Actor, checkpoint: Checkpoint, policy: ReviewPolicy
    ) -> str:
        if not actor.may(Permission.CHECKPOINTS_DECIDE):
            return refusal(Permission.CHECKPOINTS_DECIDE)
        if checkpoint.status is not CheckpointStatus.PENDING:
            return f"The checkpoint is {checkpoint.status}."
        return review_policy.asked_refusal(
            reader, actor, checkpoint, policy, escalated=checkpoint.escalated
        ) or review_policy.self_approval_refusal(
            reader, actor, checkpoint, self._self_approval, policy
        )


def _chain(reader: Reader, checkpoint: Checkpoint) -> list[Round]:
    if checkpoint.rounds is None:
        return []
    return chain_of(checkpoints.rounds_of(reader, checkpoint.job_id), checkpoint.id)


def _before(reader: Reader, checkpoint: Checkpoint) -> Checkpoint | None:
    if checkpoint.previous_id is None:
        return None
    return checkpoints.get(reader, checkpoint.previous_id)
