"""Images before and after, as a payload holds them: bytes in Base64, nothing is fetched."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from agent_console.domain.jobs import Json
from agent_console.domain.visible import reveal

Side = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class ImageChange:
    """An image (PNG, JPEG, GIF or WebP) now and afterwards; None: there is none.

    Its bytes are part of the payload, so what is approved is what was seen. They have to fit into
    a checkpoint together with everything else it shows.
    """

    title: str
    before: bytes | None
    after: bytes | None

    def to_json(self) -> dict[str, Json]:
        """Return the form that is digested and stored."""
        return {
            "kind": "image",
            "title": self.title,
            "before": _written(self.before),
            "after": _written(self.after),
        }


@dataclass(frozen=True, slots=True)
class ImageDiff:
    """What was handed over as images; whether they are some, is for who shows them to find out."""

    title: str
    before: bytes | None
    after: bytes | None
    hidden: int = 0

    def side(self, side: Side) -> bytes | None:
        """Return the bytes of one side."""
        return self.before if side == "before" else self.after


def read_image(change: Mapping[str, Json]) -> ImageDiff | None:
    """Return what ``change`` (of the kind ``image``) holds; None where it is malformed."""
    title, before, after = change.get("title"), change.get("before"), change.get("after")
    if not isinstance(title, str) or (before is None and after is None):
        return None
    if set(change) != {"kind", "title", "before", "after"}:
        return None  # what the picture would leave out has to be read as it is
    if not (_is_side(before) and _is_side(after)):
        return None
    shown = reveal(title)
    try:
        return ImageDiff(shown.text, _bytes(before), _bytes(after), shown.hidden)
    except binascii.Error:
        return None


def _written(image: bytes | None) -> str | None:
    return None if image is None else base64.b64encode(image).decode()


def _is_side(value: Json) -> bool:
    return value is None or (isinstance(value, str) and value.isascii())


def _bytes(value: Json) -> bytes | None:
    return base64.b64decode(value, validate=True) if isinstance(value, str) else None
