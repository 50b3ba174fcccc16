"""Wire models of callbacks."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, RootModel

from agent_console.api.schemas.base import Success


class CallbackIn(RootModel[dict[str, Any]]):
    """What the job asked for; ``http-task`` wants exitCode, stdout, stderr and output."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"exitCode": 0, "stdout": "done\n", "output": {"rows": 3}}}
    )


class CallbackAnswer(Success):
    """The answer is kept; ``replayed`` says that it was there already."""

    replayed: bool
