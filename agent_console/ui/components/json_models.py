"""View models of a JSON document; apart from the desk's, because viewers need them too."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """A value of a JSON document. ``children`` is empty for a scalar and for an empty container."""

    key: str = ""
    kind: str = "null"
    text: str = ""
    children: list[NodeView] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonView:
    """A JSON document: its tree, and the text that the copy button gives, numbers exact."""

    nodes: list[NodeView] = field(default_factory=list)
    text: str = ""
    note: str = ""
