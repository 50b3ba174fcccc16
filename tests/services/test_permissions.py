"""Every service method against every role; fails when a method is not listed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent_console.domain.access import ANONYMOUS, ROLE_PERMISSIONS, Actor, Permission, Role
from agent_console.domain.bulk import JobFilter
from agent_console.domain.chat import ChatQuery, HistoryQuery, NewChatSession
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.comments import CommentQuery
from agent_console.domain.context import NewContextDocument
from agent_console.domain.errors import ConsoleError, Forbidden, Unauthenticated
from agent_console.domain.forks import ForkRequest
from agent_console.domain.jobs import NewJob
from agent_console.domain.limits import Caps
from agent_console.domain.notifications import (
    DeliveryQuery,
    NewSubscription,
    SubscriptionChange,
)
from agent_console.domain.queries import (
    AuditQuery,
    CheckpointQuery,
    ContextQuery,
    JobQuery,
    SessionQuery,
)
from agent_console.domain.review_export import ExportQuery
from agent_console.domain.review_policies import Terms
from agent_console.domain.reviewer_groups import GroupChange
from agent_console.domain.rulings import Item
from agent_console.domain.saved_queries import NewSavedQuery, QueryChange
from agent_console.domain.schedules import NewSchedule, Rule, ScheduleChange, ScheduleQuery
from agent_console.domain.sessions import NewSession, NewTemplate
from agent_console.services import Services
from agent_console.store import previews
from tests.services.conftest import PASSWORD, Desk
from tests.support.runs import claim_one

P = Permission
Call = Callable[[Services, Actor], Any]
NOBODY = "usr_nobody"
REJECT = Verdict(verb=CheckpointVerb.REJECT, reason="no")
DOCUMENT = NewContextDocument(title="Plan", content="text")
SAVED = NewSavedQuery(name="Failed", resource="jobs", query={"status": "FAILED"})
FORK = ForkRequest(from_position=0)
HOURLY = Rule(cron="@hourly")
SCHEDULE = NewSchedule(name="hourly", job_type="noop", rule=HOURLY)
TEMPLATE = NewTemplate(name="mine", agent_type="research")

GUARDED: dict[str, tuple[Permission, Call]] = {
    "jobs.enqueue": (P.JOBS_CREATE, lambda s, a: s.jobs.enqueue(a, NewJob(job_type="noop"))),
    "jobs.enqueue_many": (
        P.JOBS_CREATE,
        lambda s, a: s.jobs.enqueue_many(a, [NewJob(job_type="noop")]),
    ),
    "jobs.control_many": (
        P.JOBS_CONTROL,
        lambda s, a: s.jobs.control_many(a, ["job_x"], "cancel"),
    ),
    "bulk.start": (
        P.JOBS_CONTROL,
        lambda s, a: s.bulk.start(a, "cancel", JobFilter(status="PENDING")),
    ),
    "bulk.count": (
        P.JOBS_CONTROL,
        lambda s, a: s.bulk.count(a, "cancel", JobFilter(status="PENDING")),
    ),
    "jobs.get": (P.JOBS_READ, lambda s, a: s.jobs.get(a, "job_x")),
    "jobs.find": (P.JOBS_READ, lambda s, a: s.jobs.find(a, "job_x")),
    "jobs.names": (P.JOBS_READ, lambda s, a: s.jobs.names(a, ["job_x"])),
    "jobs.page": (P.JOBS_READ, lambda s, a: s.jobs.page(a, JobQuery())),
    "jobs.control": (P.JOBS_CONTROL, lambda s, a: s.jobs.control(a, "job_x", "cancel")),
    "rewinds.resume_here": (P.JOBS_CONTROL, lambda s, a: s.rewinds.resume_here(a, "job_x")),
    "rewinds.retry_from": (P.JOBS_CONTROL, lambda s, a: s.rewinds.retry_from(a, "job_x", 0)),
    "rewinds.fail": (P.JOBS_CONTROL, lambda s, a: s.rewinds.fail(a, "job_x", "no use")),
    "forks.plan": (P.JOBS_CREATE, lambda s, a: s.forks.plan(a, "job_x", FORK)),
    "forks.fork": (P.JOBS_CREATE, lambda s, a: s.forks.fork(a, "job_x", FORK)),
    "replays.replay": (P.JOBS_CONTROL, lambda s, a: s.replays.replay(a, "job_x")),
    "saved_queries.page": (P.JOBS_READ, lambda s, a: s.saved_queries.page(a)),
    "saved_queries.get": (P.JOBS_READ, lambda s, a: s.saved_queries.get(a, "qry_x")),
    "saved_queries.create": (P.JOBS_READ, lambda s, a: s.saved_queries.create(a, SAVED)),
    "saved_queries.change": (
        P.JOBS_READ,
        lambda s, a: s.saved_queries.change(a, "qry_x", QueryChange(name="b")),
    ),
    "saved_queries.delete": (P.JOBS_READ, lambda s, a: s.saved_queries.delete(a, "qry_x")),
    "schedules.page": (P.JOBS_READ, lambda s, a: s.schedules.page(a, ScheduleQuery())),
    "schedules.get": (P.JOBS_READ, lambda s, a: s.schedules.get(a, "sch_x")),
    "schedules.preview": (P.JOBS_READ, lambda s, a: s.schedules.preview(a, HOURLY)),
    "schedules.create": (P.JOBS_CREATE, lambda s, a: s.schedules.create(a, SCHEDULE)),
    "schedules.change": (
        P.JOBS_CREATE,
        lambda s, a: s.schedules.change(a, "sch_x", ScheduleChange(priority=1)),
    ),
    "schedules.pause": (P.JOBS_CREATE, lambda s, a: s.schedules.pause(a, "sch_x")),
    "schedules.resume": (P.JOBS_CREATE, lambda s, a: s.schedules.resume(a, "sch_x")),
    "schedules.run": (P.JOBS_CREATE, lambda s, a: s.schedules.run(a, "sch_x")),
    "schedules.delete": (P.JOBS_CREATE, lambda s, a: s.schedules.delete(a, "sch_x")),
    "jobs.counts": (P.JOBS_READ, lambda s, a: s.jobs.counts(a)),
    "jobs.catalog": (P.JOBS_READ, lambda s, a: s.jobs.catalog(a)),
    "jobs.logs": (P.JOBS_READ, lambda s, a: s.jobs.logs(a, "job_x")),
    "review.page": (P.CHECKPOINTS_READ, lambda s, a: s.review.page(a, CheckpointQuery())),
    "review.get": (P.CHECKPOINTS_READ, lambda s, a: s.review.get(a, "chk_x")),
    "review.for_job": (P.CHECKPOINTS_READ, lambda s, a: s.review.for_job(a, "job_x")),
    "review.pending_count": (P.CHECKPOINTS_READ, lambda s, a: s.review.pending_count(a)),
    "review.decide": (P.CHECKPOINTS_DECIDE, lambda s, a: s.review.decide(a, "chk_x", REJECT)),
    "review.undo": (P.CHECKPOINTS_DECIDE, lambda s, a: s.review.undo(a, "chk_x")),
    "review.undo_many": (
        P.CHECKPOINTS_DECIDE,
        lambda s, a: s.review.undo_many(a, ["chk_x"]),
    ),
    "claims.claim": (P.CHECKPOINTS_DECIDE, lambda s, a: s.claims.claim(a, "chk_x")),
    "claims.release": (P.CHECKPOINTS_DECIDE, lambda s, a: s.claims.release(a, "chk_x")),
    "policies.page": (P.CHECKPOINTS_READ, lambda s, a: s.policies.page(a)),
    "policies.get": (P.CHECKPOINTS_READ, lambda s, a: s.policies.get(a, "noop")),
    "policies.versions": (P.CHECKPOINTS_READ, lambda s, a: s.policies.versions(a, "noop")),
    "policies.people": (P.POLICIES_MANAGE, lambda s, a: s.policies.people(a)),
    "policies.save": (P.POLICIES_MANAGE, lambda s, a: s.policies.save(a, "nil", Terms())),
    "policies.remove": (P.POLICIES_MANAGE, lambda s, a: s.policies.remove(a, "noop")),
    "automatic.record": (P.CHECKPOINTS_READ, lambda s, a: s.automatic.record(a, "noop")),
    "automatic.records": (P.CHECKPOINTS_READ, lambda s, a: s.automatic.records(a)),
    "automatic.backtest": (P.CHECKPOINTS_READ, lambda s, a: s.automatic.backtest(a, "noop")),
    "automatic.suggestions": (P.CHECKPOINTS_READ, lambda s, a: s.automatic.suggestions(a)),
    "automatic.stop": (P.CHECKPOINTS_DECIDE, lambda s, a: s.automatic.stop(a, "noop")),
    "groups.page": (P.CHECKPOINTS_READ, lambda s, a: s.groups.page(a)),
    "groups.create": (P.POLICIES_MANAGE, lambda s, a: s.groups.create(a, "Security")),
    "groups.change": (P.POLICIES_MANAGE, lambda s, a: s.groups.change(a, "g", GroupChange())),
    "groups.delete": (P.POLICIES_MANAGE, lambda s, a: s.groups.delete(a, "g")),
    "delegations.page": (P.CHECKPOINTS_READ, lambda s, a: s.delegations.page(a)),
    "delegations.create": (
        P.CHECKPOINTS_DECIDE,
        lambda s, a: s.delegations.create(a, "usr_x", datetime.now(UTC)),
    ),
    "delegations.revoke": (P.CHECKPOINTS_DECIDE, lambda s, a: s.delegations.revoke(a, "dlg_x")),
    "claims.of": (P.CHECKPOINTS_READ, lambda s, a: s.claims.of(a, ["chk_x"])),
    "presence.look": (P.CHECKPOINTS_READ, lambda s, a: s.presence.look(a, "chk_x")),
    "presence.leave": (P.CHECKPOINTS_READ, lambda s, a: s.presence.leave(a, "chk_x")),
    "evidence.image": (
        P.CHECKPOINTS_READ,
        lambda s, a: s.evidence.image(a, "chk_x", 0, "before"),
    ),
    "presence.of": (P.CHECKPOINTS_READ, lambda s, a: s.presence.of(a, "chk_x")),
    "comments.page": (
        P.CHECKPOINTS_READ,
        lambda s, a: s.comments.page(a, "chk_x", CommentQuery()),
    ),
    "comments.on_lines": (P.CHECKPOINTS_READ, lambda s, a: s.comments.on_lines(a, "chk_x")),
    "comments.add": (P.CHECKPOINTS_COMMENT, lambda s, a: s.comments.add(a, "chk_x", "hm")),
    "comments.edit": (
        P.CHECKPOINTS_COMMENT,
        lambda s, a: s.comments.edit(a, "chk_x", "cmt_x", "hm"),
    ),
    "comments.delete": (
        P.CHECKPOINTS_COMMENT,
        lambda s, a: s.comments.delete(a, "chk_x", "cmt_x"),
    ),
    "review.decide_once": (
        P.CHECKPOINTS_DECIDE,
        lambda s, a: s.review.decide_once(a, "chk_x", REJECT),
    ),
    "review.decide_many": (
        P.CHECKPOINTS_DECIDE,
        lambda s, a: s.review.decide_many(a, [Item(checkpoint_id="chk_x")], REJECT),
    ),
    "figures.live": (P.METRICS_READ, lambda s, a: s.figures.live(a)),
    "review_export.lines": (
        P.AUDIT_READ,
        lambda s, a: s.review_export.lines(a, ExportQuery()),
    ),
    "review_figures.read": (P.METRICS_READ, lambda s, a: s.review_figures.read(a)),
    "figures.overview": (P.METRICS_READ, lambda s, a: s.figures.overview(a)),
    "job_types.page": (P.JOBS_READ, lambda s, a: s.job_types.page(a)),
    "job_types.get": (P.JOBS_READ, lambda s, a: s.job_types.get(a, "noop")),
    "job_types.paused": (P.JOBS_READ, lambda s, a: s.job_types.paused(a)),
    "job_types.pause": (P.WORKERS_CONTROL, lambda s, a: s.job_types.pause(a, "noop")),
    "job_types.resume": (P.WORKERS_CONTROL, lambda s, a: s.job_types.resume(a, "noop")),
    "job_types.limit": (P.WORKERS_CONTROL, lambda s, a: s.job_types.limit(a, "noop", Caps())),
    "job_types.apply": (P.WORKERS_CONTROL, lambda s, a: s.job_types.apply(a, "noop")),
    "workers.page": (P.WORKERS_READ, lambda s, a: s.workers.page(a)),
    "workers.status": (P.WORKERS_READ, lambda s, a: s.workers.status(a)),
    "workers.start": (P.WORKERS_CONTROL, lambda s, a: s.workers.start(a)),
    "workers.stop": (P.WORKERS_CONTROL, lambda s, a: s.workers.stop(a)),
    "workers.configure": (P.WORKERS_CONTROL, lambda s, a: s.workers.configure(a, "wrk_x")),
    "artifacts.page": (P.ARTIFACTS_READ, lambda s, a: s.artifacts.page(a)),
    "artifacts.get": (P.ARTIFACTS_READ, lambda s, a: s.artifacts.get(a, "art_x")),
    "artifacts.detail": (P.ARTIFACTS_READ, lambda s, a: s.artifacts.detail(a, "art_x")),
    "context.create": (P.CONTEXT_WRITE, lambda s, a: s.context.create(a, DOCUMENT)),
    "context.add_version": (
        P.CONTEXT_WRITE,
        lambda s, a: s.context.add_version(a, "doc_x", "text"),
    ),
    "context.archive": (P.CONTEXT_WRITE, lambda s, a: s.context.archive(a, "doc_x")),
    "context.delete": (P.CONTEXT_WRITE, lambda s, a: s.context.delete(a, "doc_x")),
    "context.some": (P.CONTEXT_READ, lambda s, a: s.context.some(a, ["doc_x"])),
    "context.page": (P.CONTEXT_READ, lambda s, a: s.context.page(a, ContextQuery())),
    "context.get": (P.CONTEXT_READ, lambda s, a: s.context.get(a, "doc_x")),
    "sessions.agents": (P.JOBS_READ, lambda s, a: s.sessions.agents(a)),
    "sessions.create": (
        P.JOBS_CREATE,
        lambda s, a: s.sessions.create(a, "prj_x", NewSession(agent_type="research")),
    ),
    "sessions.page": (P.JOBS_READ, lambda s, a: s.sessions.page(a, "prj_x", SessionQuery())),
    "sessions.counts": (P.JOBS_READ, lambda s, a: s.sessions.counts(a, "prj_x")),
    "sessions.projects": (P.JOBS_READ, lambda s, a: s.sessions.projects(a)),
    "sessions.findings": (P.JOBS_READ, lambda s, a: s.sessions.findings(a, "job_x")),
    "sessions.with_findings": (P.JOBS_READ, lambda s, a: s.sessions.with_findings(a, "prj_x")),
    "sessions.get": (P.JOBS_READ, lambda s, a: s.sessions.get(a, "prj_x", "job_x")),
    "sessions.execute": (P.JOBS_CONTROL, lambda s, a: s.sessions.execute(a, "prj_x", "job_x")),
    "sessions.decide": (
        P.CHECKPOINTS_DECIDE,
        lambda s, a: s.sessions.decide(a, "prj_x", "job_x", "chk_x", REJECT),
    ),
    "templates.mine": (P.JOBS_READ, lambda s, a: s.templates.mine(a)),
    "templates.create": (P.JOBS_CREATE, lambda s, a: s.templates.create(a, TEMPLATE)),
    "templates.delete": (P.JOBS_CREATE, lambda s, a: s.templates.delete(a, "tpl_x")),
    "secrets.names": (P.SECRETS_MANAGE, lambda s, a: s.secrets.names(a)),
    "secrets.reveal": (P.SECRETS_MANAGE, lambda s, a: s.secrets.reveal(a, "name")),
    "secrets.set": (P.SECRETS_MANAGE, lambda s, a: s.secrets.set(a, "name", "value")),
    "secrets.rotate": (P.SECRETS_MANAGE, lambda s, a: s.secrets.rotate(a, "name")),
    "secrets.delete": (P.SECRETS_MANAGE, lambda s, a: s.secrets.delete(a, "name")),
    "secrets.needs_passphrase": (P.SECRETS_MANAGE, lambda s, a: s.secrets.needs_passphrase(a)),
    "secrets.rekey": (P.SECRETS_MANAGE, lambda s, a: s.secrets.rekey(a)),
    "backups.backup": (P.DATA_MANAGE, lambda s, a: s.backups.backup(a, Path("/no/such/folder"))),
    "backups.check": (P.DATA_MANAGE, lambda s, a: s.backups.check(a, Path("/no/such/file"))),
    "backups.restore": (P.DATA_MANAGE, lambda s, a: s.backups.restore(a, Path("/no/such/file"))),
    "chat.open": (P.CHAT_USE, lambda s, a: s.chat.open(a, NewChatSession())),
    "chat.join": (P.CHAT_USE, lambda s, a: s.chat.join(a, "cht_x")),
    "chat.page": (P.CHAT_USE, lambda s, a: s.chat.page(a, ChatQuery())),
    "chat.get": (P.CHAT_USE, lambda s, a: s.chat.get(a, "cht_x")),
    "chat.history": (P.CHAT_USE, lambda s, a: s.chat.history(a, "cht_x", HistoryQuery())),
    "chat.last_seq": (P.CHAT_USE, lambda s, a: s.chat.last_seq(a, "cht_x")),
    "chat.post": (P.CHAT_USE, lambda s, a: s.chat.post(a, "cht_x", "hello")),
    "chat.mark_read": (P.CHAT_USE, lambda s, a: s.chat.mark_read(a, "cht_x", 1)),
    "notifications.page": (P.NOTIFICATIONS_OWN, lambda s, a: s.notifications.page(a)),
    "notifications.get": (P.NOTIFICATIONS_OWN, lambda s, a: s.notifications.get(a, "sub_x")),
    "notifications.create": (
        P.NOTIFICATIONS_OWN,
        lambda s, a: s.notifications.create(a, NewSubscription(name="n", way="x", target="t")),
    ),
    "notifications.change": (
        P.NOTIFICATIONS_OWN,
        lambda s, a: s.notifications.change(a, "sub_x", SubscriptionChange(name="n")),
    ),
    "notifications.delete": (P.NOTIFICATIONS_OWN, lambda s, a: s.notifications.delete(a, "sub_x")),
    "notifications.test": (P.NOTIFICATIONS_OWN, lambda s, a: s.notifications.test(a, "sub_x")),
    "notifications.deliveries": (
        P.NOTIFICATIONS_OWN,
        lambda s, a: s.notifications.deliveries(a, "sub_x", DeliveryQuery()),
    ),
    "notifications.redeliver": (
        P.NOTIFICATIONS_OWN,
        lambda s, a: s.notifications.redeliver(a, "sub_x", "msg_x"),
    ),
    "audit.page": (P.AUDIT_READ, lambda s, a: s.audit.page(a, AuditQuery())),
    "audit.integrity": (P.AUDIT_READ, lambda s, a: s.audit.integrity(a)),
    "audit.head": (P.AUDIT_READ, lambda s, a: s.audit.head(a)),
    "audit.verify": (P.AUDIT_READ, lambda s, a: s.audit.verify(a)),
    "audit.start_verification": (P.AUDIT_READ, lambda s, a: s.audit.start_verification(a)),
    "audit.rotate_key": (P.SECRETS_MANAGE, lambda s, a: s.audit.rotate_key(a)),
    "retention.report": (P.AUDIT_READ, lambda s, a: s.retention.report(a)),
    "retention.run": (P.DATA_MANAGE, lambda s, a: s.retention.run(a)),
    "access.users": (P.USERS_MANAGE, lambda s, a: s.access.users(a)),
    "access.create_user": (
        P.USERS_MANAGE,
        lambda s, a: s.access.create_user(a, "new@example.com", "New", "viewer", PASSWORD),
    ),
    "access.set_role": (P.USERS_MANAGE, lambda s, a: s.access.set_role(a, NOBODY, "viewer")),
    "access.set_disabled": (P.USERS_MANAGE, lambda s, a: s.access.set_disabled(a, NOBODY, True)),
    "access.set_password": (
        P.USERS_MANAGE,
        lambda s, a: s.access.set_password(a, NOBODY, PASSWORD),
    ),
    "access.change_password": (
        P.TOKENS_OWN,
        lambda s, a: s.access.change_password(a, current=PASSWORD, new=PASSWORD + "!"),
    ),
    "access.create_token": (
        P.TOKENS_OWN,
        lambda s, a: s.access.create_token(a, f"{a.name}@example.com", name="mine"),
    ),
    "access.tokens": (P.TOKENS_OWN, lambda s, a: s.access.tokens(a)),
    "access.revoke_token": (P.TOKENS_OWN, lambda s, a: s.access.revoke_token(a, "tok_x")),
}
# How one comes to be an actor, what probes ask without being one, and what a call's token admits.
OPEN = {
    "callbacks.caller",
    "callbacks.receive",
    "schedules.declare",  # at the start, by the code itself
    "access.needs_setup",
    "access.create_setup_link",
    "access.claim_setup",
    "access.login",
    "access.logout",
    "access.actor_for_session",
    "access.actors_for_sessions",
    "access.remembered_actor",
    "access.actor_for_token",
    "health.report",
    "health.ready",
}


def test_every_public_method_is_listed(desk: Desk) -> None:
    found = {
        f"{name}.{method}"
        for name in Services.__dataclass_fields__
        if name != "feed"
        for method, _ in inspect.getmembers(getattr(desk.services, name), inspect.ismethod)
        if not method.startswith("_")
    }
    assert found == set(GUARDED) | OPEN


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_what_the_table_says_and_nothing_else(desk: Desk, role: Role) -> None:
    actor = desk.actor(role)
    wrong = {}
    for name, (permission, call) in GUARDED.items():
        refused = False
        try:
            call(desk.services, actor)
        except Forbidden as error:
            refused = error.context.get("requiredPermission") == permission.value
        except ConsoleError:
            refused = False  # passed the guard; there is nothing with that id
        if refused is (permission in ROLE_PERMISSIONS[role]):
            wrong[name] = refused
    assert wrong == {}


@pytest.mark.parametrize("name", sorted(GUARDED))
def test_nobody_signed_in_may_do_nothing(desk: Desk, name: str) -> None:
    with pytest.raises(Unauthenticated):
        GUARDED[name][1](desk.services, ANONYMOUS)


@pytest.mark.parametrize("scope", list(Permission))
def test_a_token_may_do_what_its_scope_says(desk: Desk, scope: Permission) -> None:
    admin = desk.actor(Role.ADMIN)
    grant = desk.services.access.create_token(
        admin, "admin@example.com", name="one scope", scopes=[scope.value]
    )
    actor = desk.services.access.actor_for_token(grant.token)
    assert actor is not None
    expected = {scope}
    if scope in {P.CHECKPOINTS_DECIDE, P.CHECKPOINTS_COMMENT}:
        expected.add(P.CHECKPOINTS_READ)  # nobody can decide on what they cannot see
    assert actor.permissions == expected
    for permission, call in GUARDED.values():
        if permission not in expected:
            with pytest.raises(Forbidden):
                call(desk.services, actor)


def test_a_token_to_read_jobs_reads_no_proposals(desk: Desk) -> None:
    operator = desk.actor(Role.OPERATOR)
    job_id, asked = desk.waiting(operator)
    narrow = replace(operator, kind="token", permissions=frozenset({P.JOBS_READ}))
    assert [one.id for one in desk.services.jobs.get(operator, job_id).checkpoints] == [asked]
    seen = desk.services.jobs.get(narrow, job_id)
    assert (seen.job.id, seen.checkpoints, seen.artifacts) == (job_id, [], [])


def test_a_token_to_read_jobs_does_not_watch_artifacts_being_written(desk: Desk) -> None:
    operator = desk.actor(Role.OPERATOR)
    job_id = desk.services.jobs.enqueue(operator, NewJob(job_type="noop", input_data={})).job.id
    previews.show(desk.db, claim_one(desk.db).key, "half a report")
    narrow = replace(operator, kind="token", permissions=frozenset({P.JOBS_READ}))
    watched = desk.services.jobs.get(operator, job_id).preview
    assert watched is not None
    assert watched.text == "half a report"
    assert desk.services.jobs.get(narrow, job_id).preview is None
