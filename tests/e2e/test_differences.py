"""What changes, for eyes and ears: two layouts, syntax colour, prose, images, changed files."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.browser import DESKTOP, PHONE, People
from tests.e2e.console import ConsoleProcess
from tests.e2e.scripts import Script
from tests.e2e.test_accessibility import in_both_modes
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e

OLD = '''import decimal

RATE = 0.19


@cached
class Invoice(Base):
    """An invoice."""

    def vat(self, amount: int) -> float:
        return amount * RATE  # rounded nowhere
'''
NEW = OLD.replace("0.19", '"0.20"').replace("RATE  # rounded nowhere", "TAX  # rounded once")
PROSE = "# Invoices\n\nTotals are quick, and lose a cent {}.\n"
# Contrast of each colour on each ground that it stands on, as it is painted.
CONTRAST = """() => {
  const paint = (colours) => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    colours.forEach((one) => { canvas.fillStyle = one; canvas.fillRect(0, 0, 1, 1); });
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => rgb.map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const grounds = (node) =>
    node ? [...grounds(node.parentElement), getComputedStyle(node).backgroundColor] : [];
  const found = [];
  for (const where of [".diff-context > .diff-text", ".diff-added > .diff-text",
      ".diff-removed > .diff-text", ".diff-added .diff-mark", ".diff-removed .diff-mark"]) {
    const node = document.querySelector(where), cell = node.closest("td");
    const ground = ["white", ...grounds(node)];
    for (const [name] of CSS.highlights) {
      const ink = getComputedStyle(cell, `::highlight(${name})`).color;
      const [a, b] = [light(paint([...ground, ink])), light(paint(ground))].sort((x, y) => y - x);
      found.push([`${name} on ${where}`, (a + 0.05) / (b + 0.05)]);
    }
  }
  return found;
}"""


def proposed(console: ConsoleProcess, work: Work) -> tuple[str, str]:
    """Propose to change a program and a text; return the program's path and the checkpoint."""
    folder = f"diff_{uuid.uuid4().hex[:8]}"
    (console.workspace / folder).mkdir()
    files = {
        f"{folder}/invoice.py": (OLD, NEW),
        f"{folder}/README.md": (PROSE.format("now and then"), PROSE.format("never")),
    }
    for path, (old, _) in files.items():
        (console.workspace / path).write_text(old, encoding="utf-8")
    wanted = [{"path": path, "content": new} for path, (_, new) in files.items()]
    job = work.enqueue("code-generation", {"description": "Round once", "files": wanted})
    return f"{folder}/invoice.py", work.open_checkpoint(job)


def difference(page: Page, path: str) -> Locator:
    return page.get_by_role("table", name=f"Changes to {path}")


def side_by_side(people: People, path: str, checkpoint: str) -> Page:
    page = people.page("reviewer", f"/admin/agent-checkpoints/{checkpoint}")
    page.get_by_role("button", name="Side by side").first.click()
    expect(difference(page, path).get_by_role("columnheader")).to_have_count(6)
    return page


def test_the_layout_is_kept_and_a_narrow_screen_has_one(
    people: People, console: ConsoleProcess, work: Work
) -> None:
    path, checkpoint = proposed(console, work)
    page = side_by_side(people, path, checkpoint)
    expect(page.get_by_role("button", name="Side by side").first).to_have_attribute(
        "aria-pressed", "true"
    )
    row = difference(page, path).get_by_role("row").filter(has_text='"0.20"')
    expect(row.get_by_role("cell")).to_have_text(
        ["3", re.compile("removed"), "RATE = 0.19", "3", re.compile("added"), 'RATE = "0.20"']
    )
    expect(row.locator("mark")).to_have_text(["0.19", '"0.20"'])
    page.reload()
    expect(difference(page, path).get_by_role("columnheader")).to_have_count(6)
    page.set_viewport_size(PHONE)
    expect(difference(page, path).get_by_role("columnheader")).to_have_count(4)
    expect(page.get_by_role("button", name="Side by side")).to_have_count(0)
    page.set_viewport_size(DESKTOP)
    page.get_by_role("button", name="Unified").first.click()
    expect(difference(page, path).get_by_role("columnheader")).to_have_count(4)


def test_code_is_coloured_over_plain_text_and_prose_is_not(
    people: People, console: ConsoleProcess, work: Work
) -> None:
    path, checkpoint = proposed(console, work)
    page = side_by_side(people, path, checkpoint)
    sizes = "() => Object.fromEntries([...CSS.highlights].map(([name, one]) => [name, one.size]))"
    page.wait_for_function("() => [...CSS.highlights].every(([, one]) => one.size > 0)")
    line = difference(page, path).get_by_role("cell").filter(has_text="return amount * TAX")
    assert (
        line.evaluate("one => [...one.querySelectorAll('*')].map(n => n.tagName)") == ["MARK"] * 2
    )
    prose = difference(page, path.replace("invoice.py", "README.md"))
    expect(prose.locator('[data-colours]:not([data-colours=""])')).to_have_count(0)
    expect(prose.locator("mark")).to_have_text(["now and then", "never"])
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        expect(page.locator("html")).to_have_class(re.compile(rf"\b{scheme}\b"))
        page.get_by_role("button", name="Unified").first.click()
        expect(page.locator(".diff-added .diff-mark").first).to_be_visible()
        page.wait_for_function("() => [...CSS.highlights].every(([, one]) => one.size > 0)")
        contrasts = page.evaluate(CONTRAST)
        assert len(contrasts) == 5 * len(page.evaluate(sizes))
        assert {where: round(n, 2) for where, n in contrasts if n < 4.5} == {}
    # What is on the screen no more is not kept.
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Jobs").click()
    expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
    page.wait_for_function("() => [...CSS.highlights].every(([, one]) => one.size === 0)")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1280", "375"])
def test_differences_have_no_violation(
    people: People, console: ConsoleProcess, work: Work, size: dict[str, int]
) -> None:
    path, checkpoint = proposed(console, work)
    page = side_by_side(people, path, checkpoint)
    page.set_viewport_size(size)
    expect(difference(page, path).get_by_role("columnheader")).to_have_count(
        6 if size == DESKTOP else 4
    )
    found = in_both_modes(page)
    page.goto(
        f"/admin/agent-checkpoints/{work.open_checkpoint(Script(console, work, 'show Logo').job)}"
    )
    expect(page.get_by_role("img", name="Logo, after")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert [*found, *in_both_modes(page)] == []


def test_images_come_from_the_console_and_only_images(
    people: People, console: ConsoleProcess, work: Work
) -> None:
    script = Script(console, work, "show Logo")
    checkpoint = work.open_checkpoint(script.job)
    page = people.page("viewer")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/admin/agent-checkpoints/{checkpoint}")
    card = page.get_by_role("article")
    for side, width in (("before", 30), ("after", 60)):
        image = card.get_by_role("img", name=f"Logo, {side}")
        expect(image).to_have_js_property("naturalWidth", width)
        expect(
            card.get_by_text(re.compile(rf"^{width} × 20 pixels, \d+ bytes, PNG$"))
        ).to_be_visible()
    expect(card.get_by_text("that are no PNG, JPEG, GIF or WebP image")).to_be_visible()
    expect(card.get_by_text("Part of this request cannot be pictured.")).to_be_visible()
    draft = card.get_by_role("table", name="Changes to Draft")
    expect(draft.locator("mark")).to_have_text(["Monday", "*Friday*"])
    assert {
        url for url in asked if not url.startswith((console.url, console.url.replace("http", "ws")))
    } == set()
    assert page.title() != "1"


def test_a_card_says_that_its_files_changed_since(
    people: People, console: ConsoleProcess, work: Work
) -> None:
    path, checkpoint = proposed(console, work)
    page = people.page("reviewer", f"/admin/agent-checkpoints/{checkpoint}")
    expect(difference(page, path)).to_be_visible()
    notice = page.get_by_role("status").filter(has_text="Changed since this was asked")
    expect(notice).to_have_count(0)
    (console.workspace / path).write_text("somebody = 'was here'\n", encoding="utf-8")
    page.reload()
    expect(notice).to_contain_text(path)
    expect(notice).to_contain_text("asks again with the new difference")
    (console.workspace / path).write_text(OLD, encoding="utf-8")
    page.reload()
    expect(difference(page, path)).to_be_visible()
    expect(notice).to_have_count(0)


def test_a_review_through_the_accessibility_tree(
    people: People, console: ConsoleProcess, work: Work
) -> None:
    """Roles, names and what is said: nothing here knows how the page is built."""
    path, checkpoint = proposed(console, work)
    page = people.page("reviewer", f"/admin/agent-checkpoints/{checkpoint}")
    card = page.get_by_role("article", name="code-generation: Round once")
    expect(card.get_by_role("heading", name="What will happen")).to_be_visible()
    expect(card).to_match_aria_snapshot(f"""
      - heading "What will happen" [level=3]
      - paragraph: /Write 2 files. modify {re.escape(path).replace("/", ".")}/
    """)
    expect(card.get_by_role("heading", name="What changes")).to_be_visible()
    expect(difference(page, path)).to_match_aria_snapshot("""
      - rowgroup:
        - row "Line before Line after Change Text":
          - columnheader "Line before"
          - columnheader "Line after"
          - columnheader "Change"
          - columnheader "Text"
      - rowgroup:
        - row /@@/
        - row /1 1 import decimal/
        - row
        - row "3 removed RATE = 0.19":
          - cell "3"
          - cell
          - cell "removed"
          - cell "RATE = 0.19":
            - mark: "0.19"
        - row "3 added RATE = \\"0.20\\"":
          - cell
          - cell "3"
          - cell "added"
          - cell "RATE = \\"0.20\\"":
            - mark: "\\"0.20\\""
    """)
    verdict = card.get_by_role("group", name="Verdict")
    verdict.get_by_role("button", name="Reject").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Reject this request")
    expect(dialog).to_have_accessible_description(re.compile("Nothing of this is done"))
    reason = dialog.get_by_role("textbox", name="Reason")
    expect(reason).to_be_focused()
    dialog.get_by_role("button", name="Reject checkpoint").click()
    expect(dialog.get_by_role("alert").filter(has_text="Say why")).to_be_visible()
    reason.press_sequentially("The rate is a number, not a text.")
    dialog.get_by_role("button", name="Reject checkpoint").press("Enter")
    notices = page.get_by_role("status", name="Notices")
    expect(notices).to_contain_text("Rejected: code-generation")
    expect(notices).to_have_attribute("aria-live", "polite")
    page.goto(f"/admin/agent-checkpoints/{checkpoint}")
    expect(card.get_by_role("status").filter(has_text="Rejected by Rita Reviewer")).to_contain_text(
        "The rate is a number, not a text."
    )


def test_what_is_typed_before_the_page_lives_is_kept(people: People) -> None:
    page = people.page()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/assets/*.js", hold)
    page.goto("/login", wait_until="commit")
    email, password = page.get_by_label("Email"), page.get_by_label("Password")
    email.press_sequentially("rita@example.com")
    password.press_sequentially("seven quiet")
    assert held  # what makes the page live has not come yet
    page.unroute("**/assets/*.js")  # lets them go on
    page.wait_for_function(
        "() => Object.keys(document.querySelector('#email')).some(key => key.startsWith('__react'))"
    )
    expect(email).to_have_value("rita@example.com")
    expect(password).to_have_value("seven quiet")
    expect(password).to_be_focused()
