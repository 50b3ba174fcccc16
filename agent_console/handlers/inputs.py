"""What the built-in input models have in common: camelCase on the wire, no extra meaning."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Input(BaseModel):
    """A job's input; fields it does not know are left out."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


class Spec(BaseModel):
    """A part of an input that is an instruction: an unknown field is refused, never ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )
