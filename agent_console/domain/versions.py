"""Versions of an artifact: what one job saved under one name, in its rounds or again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent_console.domain.changes import FileChange
from agent_console.domain.jobs import Json
from agent_console.domain.records import Artifact


@dataclass(frozen=True, slots=True)
class Version:
    """One of several; ``label`` is what people call it, such as "Round 2"."""

    artifact: Artifact
    label: str


def versions_of(artifacts: Sequence[Artifact]) -> list[Version]:
    """Return ``artifacts``, oldest first, each with a label that no other one has."""
    names = [_name(one, number) for number, one in enumerate(artifacts, 1)]
    if any(count > 1 for count in Counter(names).values()):
        names = [f"Version {number}" for number in range(1, len(names) + 1)]
    return [Version(one, name) for one, name in zip(artifacts, names, strict=True)]


def round_of(metadata: Mapping[str, Json]) -> int | None:
    """Return the round that ``metadata`` names, from 1, or None."""
    number = metadata.get("round")
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def kind_text(artifact: Artifact) -> str:
    """Return the type as it is written, with the round where that is not the first."""
    number, kind = round_of(artifact.metadata), artifact.artifact_type.value
    return kind if number is None or number < 2 else f"{kind} · Round {number}"


def _name(artifact: Artifact, number: int) -> str:
    found = round_of(artifact.metadata)
    name = f"Version {number}" if found is None else f"Round {found}"
    return f"{name}, as edited" if artifact.metadata.get("editedBy") else name


def change_of(
    artifact: Artifact, proposals: Sequence[Sequence[Mapping[str, Json]]]
) -> FileChange | None:
    """Return what made the file ``artifact``, or None.

    ``proposals`` are the changes of approved checkpoints, oldest first; the latest that ends in
    this text under this name counts.
    """
    for changes in reversed(proposals):
        for one in changes:
            match one:
                case {"kind": "file", "path": artifact.name, "before": before, "after": after} if (
                    after == artifact.content and (before is None or isinstance(before, str))
                ):
                    return FileChange(artifact.name, before, artifact.content)
    return None
