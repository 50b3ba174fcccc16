"""The documents that come with the console are read where agents quote them."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from agent_console.agents.documents import shipped
from agent_console.agents.findings import research
from agent_console.bootstrap import _shipped_documents
from agent_console.domain.access import Role
from agent_console.domain.errors import Forbidden, Invalid, NotFound
from agent_console.domain.jobs import Json
from agent_console.services.context import ContextService, check_usable
from agent_console.ui.artifact_views import source_link
from tests.services.conftest import Desk

NAME = "library:rollout-plan"


def test_every_quotation_of_a_shipped_document_leads_to_its_text(desk: Desk) -> None:
    context = ContextService(desk.db, _shipped_documents())
    viewer = desk.actor(Role.VIEWER)
    found = research("Results of the pilot", ["When does wave 2 start?"], shipped()).findings
    assert found
    for finding in found:
        place = finding.source
        text = context.get(viewer, place.document_id, version=place.version).shown.content
        assert text[place.start : place.end] == finding.quote
        source: dict[str, Json] = place.model_dump(mode="json", by_alias=True)
        title, href = source_link(source)
        assert title == f"{place.title}, version 1"
        span = f"version=1&start={place.start}&end={place.end}"
        assert href == f"/context/{place.document_id}?{span}"


def test_a_shipped_document_is_read_and_nothing_else(desk: Desk) -> None:
    context = ContextService(desk.db, _shipped_documents())
    operator = desk.actor(Role.OPERATOR)
    found = context.get(operator, NAME)
    assert (found.document.title, found.shown.version) == ("Rollout plan", 1)
    assert found.shown.digest == hashlib.sha256(found.shown.content.encode()).hexdigest()
    assert [(one.version, one.content) for one in found.versions] == [(1, "")]
    with pytest.raises(NotFound, match="no version 2"):
        context.get(operator, NAME, version=2)
    with pytest.raises(NotFound):
        context.get(operator, "library:nothing")
    with pytest.raises(NotFound):
        context.add_version(operator, NAME, "another text")
    with pytest.raises(Invalid, match="no context document"):
        check_usable(desk.db, operator, [NAME])
    with pytest.raises(Forbidden):
        context.get(replace(operator, permissions=frozenset()), NAME)
