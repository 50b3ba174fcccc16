from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agent_console.domain.access import Role, local_operator
from agent_console.domain.errors import Conflict, Invalid, NotFound, TooLarge
from agent_console.domain.queries import AuditQuery
from agent_console.domain.sessions import NewTemplate
from agent_console.store import template_writes
from tests.services.conftest import Desk
from tests.support.agents import agents

THOROUGH = NewTemplate(
    name="Thorough",
    agent_type="research",
    task_configuration={"maxFindings": 12},
    approval_strategy="final_only",
)


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk(catalog=agents())


def test_templates_are_kept_by_agent_and_name(desk: Desk) -> None:
    ann = desk.actor(Role.OPERATOR, "ann")
    templates = desk.services.templates
    made = templates.create(ann, THOROUGH)
    assert made.id.startswith("tpl_")
    assert (made.owner_id, made.created_at) == (ann.id, desk.clock.now())
    assert made.task_configuration == {"maxFindings": 12}  # a question is asked for later
    report = templates.create(ann, replace(THOROUGH, agent_type="reporting"))
    brief = templates.create(ann, replace(THOROUGH, name="Brief"))
    assert templates.mine(ann) == [report, brief, made]
    assert templates.mine(ann, "research") == [brief, made]
    assert templates.mine(ann, "content") == []


def test_a_name_is_taken_once_per_account_and_agent(desk: Desk) -> None:
    ann, bob = desk.actor(Role.OPERATOR, "ann"), desk.actor(Role.OPERATOR, "bob")
    templates = desk.services.templates
    templates.create(ann, THOROUGH)
    with pytest.raises(Conflict, match="'Thorough'"):
        templates.create(ann, replace(THOROUGH, task_configuration={}))
    templates.create(bob, THOROUGH)
    assert len(templates.mine(ann)) == len(templates.mine(bob)) == 1


def test_templates_of_others_are_neither_seen_nor_deleted(desk: Desk) -> None:
    ann, bob = desk.actor(Role.OPERATOR, "ann"), desk.actor(Role.OPERATOR, "bob")
    root = local_operator("root")
    templates = desk.services.templates
    made = templates.create(ann, THOROUGH)
    on_server = templates.create(root, THOROUGH)
    assert templates.mine(root) == [on_server]
    assert templates.mine(bob) == []
    for stranger in (bob, root):
        with pytest.raises(NotFound):
            templates.delete(stranger, made.id)
    templates.delete(ann, made.id)
    assert templates.mine(ann) == []
    with pytest.raises(NotFound):
        templates.delete(ann, made.id)
    entries = desk.services.audit.page(desk.actor(Role.ADMIN), AuditQuery()).items
    told = [e.action for e in entries if e.subject_id == made.id]
    assert told == ["template.deleted", "template.created"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"agent_type": "noop"}, "agentType"),
        ({"agent_type": "unheard-of"}, "agentType"),
        ({"approval_strategy": "never"}, "approvalStrategy"),
        ({"task_configuration": {"a": float("nan")}}, "taskConfiguration.a"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_field(
    desk: Desk, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        desk.services.templates.create(desk.actor(Role.OPERATOR), replace(THOROUGH, **changes))
    assert refused.value.fields[0].field == field


@pytest.mark.parametrize(
    ("configuration", "fields"),
    [
        ({"maxFindings": 99}, ["maxFindings"]),
        ({"maxFindings": "many", "question": ""}, ["maxFindings", "question"]),
        ({"maxFinding": 3}, ["maxFinding"]),
    ],
)
def test_what_the_agent_would_refuse_is_no_template(
    desk: Desk, configuration: dict[str, Any], fields: list[str]
) -> None:
    new = replace(THOROUGH, task_configuration=configuration)
    with pytest.raises(Invalid) as refused:
        desk.services.templates.create(desk.actor(Role.OPERATOR), new)
    named = sorted(one.field for one in refused.value.fields)
    assert named == [f"taskConfiguration.{one}" for one in fields]


def test_an_agent_that_takes_anything_takes_any_template(desk: Desk) -> None:
    new = replace(THOROUGH, agent_type="content", task_configuration={"whatever": [1, {"a": None}]})
    made = desk.services.templates.create(desk.actor(Role.OPERATOR), new)
    assert made.task_configuration == new.task_configuration


def test_a_configuration_has_a_greatest_size(desk: Desk) -> None:
    big = replace(THOROUGH, task_configuration={"text": "x" * 70_000})
    with pytest.raises(TooLarge):
        desk.services.templates.create(desk.actor(Role.OPERATOR), big)


def test_an_account_keeps_a_bounded_number(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_writes, "MAX_TEMPLATES", 2)
    ann = desk.actor(Role.OPERATOR)
    for name in ("one", "two"):
        desk.services.templates.create(ann, replace(THOROUGH, name=name))
    with pytest.raises(Conflict, match="delete one first"):
        desk.services.templates.create(ann, replace(THOROUGH, name="three"))
