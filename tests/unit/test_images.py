"""Images of a payload: read from its bytes alone, or not at all."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from agent_console import ImageChange
from agent_console.domain.changes import ImageDiff, RawChange, render
from agent_console.domain.jobs import Json
from agent_console.domain.risk import Proposal
from agent_console.domain.risk_rules import uninspectable
from agent_console.services.pictures import MAX_PIXELS, look


def image(width: int = 4, height: int = 3, kind: str = "PNG", frames: int = 1) -> bytes:
    """Return a small image."""
    made = [Image.new("RGB", (width, height), (n, 80, 120)) for n in range(frames)]
    buffer = BytesIO()
    more = {"save_all": True, "append_images": made[1:]} if frames > 1 else {}
    made[0].save(buffer, kind, **more)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_type_and_measures_are_those_of_the_bytes(kind: str) -> None:
    seen = look(image(7, 5, kind))
    assert seen is not None
    assert (seen.media_type, seen.width, seen.height) == (f"image/{kind.lower()}", 7, 5)
    assert (seen.animated, len(seen.digest)) == (False, 64)


def test_more_than_one_picture_is_noticed() -> None:
    seen = look(image(kind="GIF", frames=3))
    assert seen is not None
    assert seen.animated


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html>",
        image(kind="BMP"),
        image()[:20],
        b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + b"\x7f\xff\xff\xff" * 2 + b"\x08\x02\0\0\0",
    ],
)
def test_anything_else_is_no_image(content: bytes) -> None:
    assert look(content) is None


def test_what_no_browser_bears_is_refused_unread() -> None:
    wide = Image.new("1", (MAX_PIXELS // 1_000 + 1, 1_000))
    buffer = BytesIO()
    wide.save(buffer, "PNG")
    assert look(buffer.getvalue()) is None


def test_an_image_goes_through_the_payload_to_the_byte() -> None:
    before, after = image(1, 1), image(2, 2)
    (seen,) = render([ImageChange("Logo\u200b", before, after).to_json()])
    assert isinstance(seen, ImageDiff)
    assert (seen.title, seen.hidden) == ("Logo⟨U+200B⟩", 1)
    assert (seen.side("before"), seen.side("after")) == (before, after)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "image", "title": "a", "before": None, "after": None},
        {"kind": "image", "title": "a", "before": "no base 64!", "after": None},
        {"kind": "image", "title": "a", "before": "é", "after": None},
        {
            "kind": "image",
            "title": "a",
            "before": {"src": "https://example.com/a.png"},
            "after": None,
        },
        {
            "kind": "image",
            "title": "a",
            "before": None,
            "after": "AAAA",
            "src": "https://example.com",
        },
        {"kind": "image", "before": "AAAA", "after": None},
    ],
)
def test_what_is_malformed_or_would_be_fetched_is_shown_raw(change: dict[str, Json]) -> None:
    (seen,) = render([change])
    assert isinstance(seen, RawChange)


def test_an_image_is_for_people_whatever_it_shows() -> None:
    change = ImageChange("Logo", None, image()).to_json()
    (found,) = uninspectable(Proposal(changes=[change]))
    assert (found.severity, found.rule) == ("MEDIUM", "image")
    texts = [one.text for one in Proposal(changes=[change]).texts()]
    assert texts == ["Logo"]  # and no Base64 that could look like a key
