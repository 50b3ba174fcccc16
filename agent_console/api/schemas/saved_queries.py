"""Wire models of saved queries."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool, StrictStr, StringConstraints

from agent_console.api.schemas.base import In, Instant, Out, Success, example
from agent_console.domain.jobs import Json
from agent_console.domain.saved_queries import NewSavedQuery, QueryChange, Resource

_Name = Annotated[StrictStr, StringConstraints(min_length=1, max_length=200)]
_Filters = Annotated[
    dict[str, StrictStr | None],
    Field(
        max_length=20,
        description="Filters of the list under the names of its query parameters, without paging."
        " `me` as `userId` or `actorId` is whoever uses the query.",
    ),
]


class SavedQueryParams(In):
    """Whose queries: those on one resource, or on all."""

    resource: Resource | None = None


class NewSavedQueryIn(In):
    """A query to keep."""

    model_config = example(
        name="Failed imports",
        resource="jobs",
        query={"status": "FAILED", "jobType": "data-processing"},
        shared=True,
    )

    name: _Name
    resource: Resource
    query: _Filters
    shared: StrictBool = Field(False, description="Whether everybody sees it; only you change it.")

    def to_new(self) -> NewSavedQuery:
        """Return the domain's value."""
        return NewSavedQuery(
            name=self.name,
            resource=self.resource.value,
            query=dict(self.query),
            shared=self.shared,
        )


class SavedQueryChangeIn(In):
    """What to change; what is left out stays."""

    model_config = example(name="Failed imports of mine", shared=False)

    name: _Name | None = None
    query: _Filters | None = None
    shared: StrictBool | None = None

    def to_change(self) -> QueryChange:
        """Return the domain's value."""
        query: dict[str, Json] | None = None if self.query is None else {**self.query}
        return QueryChange(name=self.name, query=query, shared=self.shared)


class SavedQueryOut(Out):
    """A saved query."""

    id: str
    name: str
    resource: Resource
    query: dict[str, str]
    shared: bool
    owner_id: str
    owner_name: str
    created_at: Instant
    updated_at: Instant


class SavedQueryAnswer(Success):
    """One saved query."""

    query: SavedQueryOut


class SavedQueriesAnswer(Success):
    """Your saved queries and the shared ones."""

    queries: list[SavedQueryOut]
