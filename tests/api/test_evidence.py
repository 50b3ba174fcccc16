from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from agent_console import ImageChange
from agent_console.domain.access import Role
from tests.api.conftest import Door
from tests.unit.test_images import image


def test_an_image_is_served_as_what_it_is_and_as_nothing_that_runs(door: Door) -> None:
    operator = door.as_role(Role.OPERATOR, "olga")
    content = image(5, 4)
    changes = [
        ImageChange("Logo", None, content).to_json(),
        ImageChange("Page", None, b"<html><script>1</script>").to_json(),
    ]
    _, checkpoint_id = door.waiting(operator, changes=changes)
    address = f"/api/agent-checkpoints/{checkpoint_id}/images"
    browser = door.signed_in(Role.VIEWER)
    answer = browser.get(f"{address}/0/after")
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    for missing in ("0/before", "1/after", "2/after"):
        assert browser.get(f"{address}/{missing}").status_code == 404
    assert {browser.get(f"{address}/{wrong}").status_code for wrong in ("x/after", "0/up")} == {422}
    assert door.client().get(f"{address}/0/after").status_code == 401


def test_a_checkpoint_tells_of_files_that_changed_since(
    make_door: Callable[..., Door], tmp_path: Path
) -> None:
    door = make_door(workspace=tmp_path)
    reviewer = door.as_role(Role.REVIEWER, "ray")
    files = [{"path": "a.py", "baseDigest": None, "digest": "0" * 64}]
    _, checkpoint_id = door.waiting(door.as_role(Role.OPERATOR, "olga"), {"files": files})
    address = f"/api/admin/agent-checkpoints/{checkpoint_id}"
    assert reviewer.get(address).json()["checkpoint"]["changedSince"] == []
    (tmp_path / "a.py").write_text("somebody was here\n")
    assert reviewer.get(address).json()["checkpoint"]["changedSince"] == ["a.py"]
