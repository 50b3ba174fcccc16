"""Use cases: permission, then transition, store, journal and signal. Every door calls these.

``build_services`` makes them all; nothing here starts a thread or opens a connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypedDict, Unpack

from agent_console.domain.clock import Clock, SystemClock
from agent_console.domain.context import ContextDocumentDetail
from agent_console.gateways.http import HttpGateway, http_gateway
from agent_console.gateways.keystore import open_store
from agent_console.gateways.workspace import Workspace
from agent_console.services.access import AccessOptions, AccessService
from agent_console.services.artifacts import ArtifactService
from agent_console.services.assistant import Assistant, ChatModel
from agent_console.services.assistant_tools import Sources
from agent_console.services.audit import AuditService
from agent_console.services.automatic import AutomaticService
from agent_console.services.backups import BackupService
from agent_console.services.bulk import BulkService
from agent_console.services.callbacks import CallbackService
from agent_console.services.catalog import Catalog
from agent_console.services.chat import ChatService
from agent_console.services.comments import CommentService
from agent_console.services.context import ContextService
from agent_console.services.delegations import DelegationService
from agent_console.services.evidence import EvidenceService
from agent_console.services.figures import FigureService
from agent_console.services.forks import ForkService
from agent_console.services.groups import GroupService
from agent_console.services.health import HealthOptions, HealthService
from agent_console.services.job_types import JobTypeService
from agent_console.services.jobs import JobService
from agent_console.services.notification_sending import Dispatcher
from agent_console.services.notifications import NotificationService
from agent_console.services.passwords import Passwords
from agent_console.services.presence import PresenceService
from agent_console.services.replays import Replayer, ReplayService
from agent_console.services.retention import RetentionService
from agent_console.services.review import ReviewService
from agent_console.services.review_claims import ReviewClaimService
from agent_console.services.review_export import ReviewExportService
from agent_console.services.review_figures import ReviewFigureService
from agent_console.services.review_policies import ReviewPolicyService
from agent_console.services.rewinds import RewindService
from agent_console.services.saved_queries import SavedQueryService
from agent_console.services.schedules import ScheduleService
from agent_console.services.seal_keys import seal_keys
from agent_console.services.secrets import SecretService
from agent_console.services.sessions import SessionService
from agent_console.services.starting import Starter
from agent_console.services.templates import TemplateService
from agent_console.services.workers import WorkerService
from agent_console.settings import Settings
from agent_console.store.database import Database
from agent_console.store.feed import ChangeFeed


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """All use cases, and the feed that says when to look again."""

    jobs: JobService
    bulk: BulkService
    job_types: JobTypeService
    review: ReviewService
    claims: ReviewClaimService
    policies: ReviewPolicyService
    automatic: AutomaticService
    groups: GroupService
    delegations: DelegationService
    presence: PresenceService
    evidence: EvidenceService
    comments: CommentService
    workers: WorkerService
    access: AccessService
    artifacts: ArtifactService
    audit: AuditService
    retention: RetentionService
    health: HealthService
    figures: FigureService
    review_figures: ReviewFigureService
    review_export: ReviewExportService
    callbacks: CallbackService
    context: ContextService
    sessions: SessionService
    templates: TemplateService
    secrets: SecretService
    backups: BackupService
    replays: ReplayService
    forks: ForkService
    rewinds: RewindService
    saved_queries: SavedQueryService
    schedules: ScheduleService
    notifications: NotificationService
    chat: ChatService
    feed: ChangeFeed


class Given(TypedDict, total=False):
    """What services may be given from outside.

    ``scheduler_age`` (seconds) is for the health report; ``shipped`` are documents that come with
    the console; ``replayer`` runs jobs again from their records; ``chat_model`` answers in the
    chat; ``http`` is the way out; ``starter`` begins new jobs. Tests replace clock and passwords.
    """

    clock: Clock | None
    passwords: Passwords | None
    scheduler_age: Callable[[], float | None] | None
    shipped: Mapping[str, ContextDocumentDetail] | None
    replayer: Replayer | None
    chat_model: ChatModel | None
    http: HttpGateway | None
    starter: Starter | None


def build_services(
    db: Database,
    catalog: Catalog,
    settings: Settings,
    feed: ChangeFeed,
    **given: Unpack[Given],
) -> Services:
    """Make the services on ``db``; what is not ``given`` is as in life, or not there."""
    ticking, keys = given.get("clock") or SystemClock(), seal_keys(settings)
    jobs = JobService(db, catalog, given.get("starter"))
    review, workers = _review(db, settings), _workers(db, settings)
    sources = _sources(jobs, review, workers, ticking, settings)
    return Services(
        jobs=jobs,
        bulk=BulkService(db, jobs),
        job_types=JobTypeService(db, catalog),
        review=review,
        claims=ReviewClaimService(db),
        policies=ReviewPolicyService(db, catalog),
        automatic=AutomaticService(db),
        groups=GroupService(db),
        delegations=DelegationService(db),
        presence=PresenceService(db),
        evidence=EvidenceService(db),
        comments=CommentService(db, clock=ticking),
        workers=workers,
        access=_access(db, settings, ticking, given.get("passwords")),
        artifacts=ArtifactService(db),
        audit=AuditService(db, keys),
        retention=RetentionService(db, settings.retention, keys),
        review_figures=ReviewFigureService(db),
        review_export=ReviewExportService(db),
        figures=FigureService(db, worker_timeout=settings.worker_timeout),
        health=_health(db, settings, ticking, given.get("scheduler_age")),
        callbacks=CallbackService(db),
        context=ContextService(db, given.get("shipped")),
        sessions=SessionService(db, catalog, jobs, review),
        templates=TemplateService(db, catalog),
        secrets=SecretService(db, lambda: open_store(settings)),
        backups=BackupService(db, settings, keys, clock=ticking),
        replays=ReplayService(db, given.get("replayer")),
        forks=ForkService(db, catalog, self_approval=settings.self_approval),
        rewinds=RewindService(db),
        saved_queries=SavedQueryService(db),
        schedules=ScheduleService(db, catalog),
        notifications=_notifications(db, settings, ticking, given.get("http")),
        chat=ChatService(db, Assistant(sources, given.get("chat_model")), clock=ticking),
        feed=feed,
    )


def _sources(
    jobs: JobService,
    review: ReviewService,
    workers: WorkerService,
    clock: Clock,
    settings: Settings,
) -> Sources:
    return Sources(
        jobs=jobs,
        review=review,
        workers=workers,
        clock=clock,
        worker_timeout=settings.worker_timeout,
    )


def _notifications(
    db: Database, settings: Settings, clock: Clock, http: HttpGateway | None
) -> NotificationService:
    dispatcher = Dispatcher(db, settings, http or http_gateway(settings), clock=clock)
    return NotificationService(db, settings, dispatcher)


def _review(db: Database, settings: Settings) -> ReviewService:
    workspace = Workspace(settings.workspace_root)
    return ReviewService(db, self_approval=settings.self_approval, workspace=workspace)


def _workers(db: Database, settings: Settings) -> WorkerService:
    return WorkerService(
        db,
        timeout=settings.worker_timeout,
        max_concurrent_jobs=settings.max_concurrent_jobs,
        poll_interval=settings.poll_interval,
    )


def _health(
    db: Database, settings: Settings, clock: Clock, scheduler_age: Callable[[], float | None] | None
) -> HealthService:
    options = HealthOptions(
        worker_timeout=settings.worker_timeout,
        data_dir=settings.data_dir,
        scheduler_age=scheduler_age,
    )
    return HealthService(db, clock=clock, options=options)


def _access(
    db: Database, settings: Settings, clock: Clock, passwords: Passwords | None
) -> AccessService:
    options = AccessOptions(
        session_idle=settings.session_idle, session_lifetime=settings.session_lifetime
    )
    return AccessService(db, clock=clock, options=options, passwords=passwords or Passwords())
