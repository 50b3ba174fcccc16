"""Images of a payload, and files that are not as they were when a card was made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent_console import ImageChange, TextChange
from agent_console.domain.access import Actor, Role
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.errors import NotFound
from agent_console.gateways.workspace import MAX_FILE
from tests.services.conftest import Desk
from tests.unit.test_images import image

WANTED = "x = 2\n"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def space(tmp_path: Path) -> Path:
    space = tmp_path / "space"
    space.mkdir()
    return space


@pytest.fixture
def desk(make_desk: Callable[..., Desk], space: Path) -> Desk:
    return make_desk(workspace=space)


@pytest.fixture
def ray(desk: Desk) -> Actor:
    return desk.actor(Role.REVIEWER, "Ray")


def proposed(desk: Desk, path: str = "a.py", base: str | None = "x = 1\n") -> str:
    files = [
        {
            "path": path,
            "baseDigest": None if base is None else digest(base),
            "digest": digest(WANTED),
        }
    ]
    return desk.waiting(desk.actor(Role.OPERATOR), {"files": files})[1]


def moved(desk: Desk, actor: Actor, checkpoint_id: str) -> list[str]:
    return list(desk.services.review.get(actor, checkpoint_id).moved)


def test_a_file_that_changed_since_is_named_until_it_is_as_it_was(
    desk: Desk, ray: Actor, space: Path
) -> None:
    (space / "a.py").write_text("x = 1\n")
    asked = proposed(desk)
    assert moved(desk, ray, asked) == []
    (space / "a.py").write_text("x = 3\n")
    assert moved(desk, ray, asked) == ["a.py"]
    (space / "a.py").unlink()
    assert moved(desk, ray, asked) == ["a.py"]
    (space / "a.py").write_text(WANTED)
    assert moved(desk, ray, asked) == []


def test_a_file_that_was_to_be_new_and_is_there_by_now_is_named(
    desk: Desk, ray: Actor, space: Path
) -> None:
    asked = proposed(desk, base=None)
    assert moved(desk, ray, asked) == []
    (space / "a.py").write_text("x = 3\n")
    assert moved(desk, ray, asked) == ["a.py"]


def test_what_cannot_be_written_to_any_more_has_changed(
    desk: Desk, ray: Actor, space: Path
) -> None:
    asked = proposed(desk, base=None)
    (space / "a.py").symlink_to(space / "b.py")
    assert moved(desk, ray, asked) == ["a.py"]


def test_a_huge_file_has_changed_without_being_read(desk: Desk, ray: Actor, space: Path) -> None:
    asked = proposed(desk)
    with (space / "a.py").open("wb") as file:
        file.truncate(MAX_FILE + 1)
    assert moved(desk, ray, asked) == ["a.py"]


def test_nothing_is_said_of_what_is_decided(desk: Desk, ray: Actor, space: Path) -> None:
    asked = proposed(desk, base=None)
    (space / "a.py").write_text("x = 3\n")
    desk.services.review.decide(ray, asked, Verdict(verb=CheckpointVerb.REJECT, reason="no"))
    assert moved(desk, ray, asked) == []


def test_nothing_is_said_without_a_workspace(desk: Desk, ray: Actor, space: Path) -> None:
    asked = proposed(desk)
    space.rmdir()
    assert moved(desk, ray, asked) == []


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"files": "a.py"},
        {"files": ["a.py", None, {"path": "a.py"}]},
        {"files": [{"path": "../a.py", "baseDigest": "x", "digest": "y"}]},
        {"files": [{"path": "a.py", "baseDigest": digest("x"), "digest": 7}]},
    ],
)
def test_data_of_another_shape_tell_of_no_files(desk: Desk, ray: Actor, data: Any) -> None:
    asked = desk.waiting(desk.actor(Role.OPERATOR), data)[1]
    assert moved(desk, ray, asked) == []


def test_an_image_is_handed_out_by_its_place_and_side(desk: Desk, ray: Actor) -> None:
    before, after = image(2, 2), image(3, 3, "JPEG")
    changes = [
        ImageChange("Logo", before, after).to_json(),
        ImageChange("Icon", None, b"<svg/>").to_json(),
        TextChange("Draft", None, "a").to_json(),
    ]
    asked = desk.waiting(desk.actor(Role.OPERATOR), changes=changes)[1]
    get = desk.services.evidence.image
    assert get(ray, asked, 0, "before").content == before
    assert get(ray, asked, 0, "after").media_type == "image/jpeg"
    for number, side in ((1, "before"), (1, "after"), (2, "after"), (3, "after"), (-1, "after")):
        with pytest.raises(NotFound):
            get(ray, asked, number, side)
    with pytest.raises(NotFound):
        get(ray, "chk_none", 0, "before")
