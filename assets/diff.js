// Differences: the layout a person chose on this device, comments on lines, what was viewed, and
// syntax colour over plain text.
(() => {
  const KEPT = "ac-diff-view";
  const root = document.documentElement;
  const wide = window.matchMedia("(min-width: 56.25rem)");

  // Pages read the layout from the root element, and hear of a change (file_diff.py).
  const settle = () => {
    const view = wide.matches && localStorage.getItem(KEPT) === "split" ? "split" : "unified";
    if (root.dataset.diffView === view) return;
    root.dataset.diffView = view;
    window.dispatchEvent(new Event("ac-diff-view"));
  };
  settle();
  wide.addEventListener("change", settle);
  window.addEventListener("storage", settle);
  document.addEventListener("click", (event) => {
    const choice = event.target.closest?.("[data-diff-choice]");
    if (!choice) return;
    localStorage.setItem(KEPT, choice.dataset.diffChoice);
    settle();
  });

  // Comments on lines: their numbers are buttons, of which one in a table is in the order of Tab
  // (file_diff.py). Arrows go on from there, up and down on the same side.
  const SAY = ".diff-say";
  const beside = (button, step) => {
    const side = button.parentElement.id.split("-")[2];
    for (let row = button.closest("tr"); row; row = step > 0 ? row.nextElementSibling : row.previousElementSibling) {
      const found = row !== button.closest("tr") && row.querySelector(`[id*="-${side}-"] > ${SAY}`);
      if (found) return found;
    }
    return null;
  };
  const across = (button, step) => {
    const both = [...button.closest("tr").querySelectorAll(SAY)];
    return both[both.indexOf(button) + step];
  };
  const WAYS = {
    ArrowDown: (one) => beside(one, 1), ArrowUp: (one) => beside(one, -1),
    ArrowRight: (one) => across(one, 1), ArrowLeft: (one) => across(one, -1),
  };
  document.addEventListener("keydown", (event) => {
    const way = event.target.matches?.(SAY) && !event.ctrlKey && !event.metaKey && !event.altKey && WAYS[event.key];
    if (!way) return;
    event.preventDefault();
    way(event.target)?.focus();
  });
  document.addEventListener("focusin", ({ target }) => {
    if (!target.matches?.(SAY)) return;
    target.closest("table").querySelectorAll(`${SAY}[tabindex="0"]`).forEach((one) => { one.tabIndex = -1; });
    target.tabIndex = 0;
  });

  // A comment's place leads to its line, wherever that is folded away, and a comment below a line
  // to the thread that has all of them.
  const bring = (place) => {
    place.closest("details")?.setAttribute("open", "");
    const target = place.querySelector(SAY) ?? place;
    if (target === place) place.tabIndex = -1;
    place.scrollIntoView({ block: "center" });
    target.focus({ preventScroll: true });
    document.querySelectorAll(".diff-told").forEach((one) => one.classList.remove("diff-told"));
    place.classList.add("diff-told");
  };
  document.addEventListener("click", (event) => {
    const say = event.target.closest?.(SAY);
    const form = document.getElementById("comment-line");
    if (say && form) {
      form.elements.place.value = say.parentElement.id;
      form.requestSubmit();
      return;
    }
    const link = event.target.closest?.('a[href^="#line-"], a[href^="#said-"]');
    const place = link && document.getElementById(link.hash.slice(1));
    if (!place) return;
    event.preventDefault();
    event.stopPropagation();
    bring(place);
  }, true);

  // What somebody has viewed on this device, of the last reviews: [[what is reviewed, [keys]], …].
  const VIEWED = "ac-viewed";
  const REVIEWS = 100;
  const remembered = () => {
    try { return JSON.parse(localStorage.getItem(VIEWED)) ?? []; } catch { return []; } // not ours
  };
  const boxesOf = (list) => [...list.querySelectorAll("[data-viewed]")];
  const count = (list) => {
    const boxes = boxesOf(list);
    const noun = boxes.every((one) => one.dataset.kind === "file") ? "files" : "changes";
    const place = list.querySelector(".diff-viewed-count");
    if (place) place.textContent = `${boxes.filter((one) => one.checked).length} of ${boxes.length} ${noun} viewed`;
  };
  const recall = () => {
    document.querySelectorAll("[data-viewed-of]:not([data-recalled])").forEach((list) => {
      if (boxesOf(list).length === 0) return;
      list.dataset.recalled = "yes";
      const [, keys] = remembered().find(([of]) => of === list.dataset.viewedOf) ?? ["", []];
      boxesOf(list).filter((one) => keys.includes(one.dataset.viewed)).forEach((one) => {
        one.checked = true;
        one.closest(".diff-file").firstElementChild.open = false;
      });
      count(list);
    });
  };
  document.addEventListener("change", ({ target }) => {
    if (!target.matches?.("[data-viewed]")) return;
    const list = target.closest("[data-viewed-of]");
    const of = list.dataset.viewedOf;
    const keys = boxesOf(list).filter((one) => one.checked).map((one) => one.dataset.viewed);
    const others = remembered().filter(([other]) => other !== of);
    localStorage.setItem(VIEWED, JSON.stringify([[of, keys], ...others].slice(0, REVIEWS)));
    target.closest(".diff-file").firstElementChild.open = !target.checked;
    count(list);
  });
  new MutationObserver(recall).observe(root, { subtree: true, childList: true });
  recall();

  // Colours are ranges beside the text (ui/syntax.py): it stays one plain text, for eyes, ears and
  // the clipboard, and browsers without highlights show it as that.
  if (!window.CSS?.highlights || !window.Highlight) return;
  const KINDS = { k: "keyword", s: "string", c: "comment", n: "number", f: "name", t: "type" };
  const SLICE = 6; // milliseconds of painting between two frames
  const CELLS = '[data-colours]:not([data-colours=""])';
  const highlights = {};
  for (const [kind, name] of Object.entries(KINDS)) {
    highlights[kind] = new Highlight();
    CSS.highlights.set(`ac-${name}`, highlights[kind]);
  }
  const painted = new Map(); // cell → its ranges, with their kinds
  const waiting = new Set();
  let scheduled = false;

  const wash = (cell) => {
    painted.get(cell)?.forEach(([kind, range]) => highlights[kind].delete(range));
    painted.delete(cell);
  };

  // Where in the cell's text nodes a place of its text is; marked words make several of one line.
  const spot = (nodes, place, end) => {
    let before = 0;
    for (const node of nodes) {
      const inside = place - before;
      if (inside < node.length || (end && inside === node.length)) return [node, inside];
      before += node.length;
    }
    return null;
  };

  const paint = (cell) => {
    wash(cell);
    if (!cell.isConnected || !cell.dataset.colours) return;
    const nodes = [];
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) nodes.push(walker.currentNode);
    const ranges = [];
    for (const told of cell.dataset.colours.split(" ")) {
      const [start, length] = told.slice(1).split(",").map(Number);
      const from = spot(nodes, start, false);
      const to = spot(nodes, start + length, true);
      const kind = told[0];
      if (!from || !to || !highlights[kind]) continue;
      const range = new StaticRange({
        startContainer: from[0], startOffset: from[1], endContainer: to[0], endOffset: to[1],
      });
      highlights[kind].add(range);
      ranges.push([kind, range]);
    }
    painted.set(cell, ranges);
  };

  const work = () => {
    const end = performance.now() + SLICE;
    for (const cell of waiting) {
      waiting.delete(cell);
      if (cell.isConnected) paint(cell); else wash(cell);
      if (performance.now() > end) break;
    }
    scheduled = waiting.size > 0;
    if (scheduled) requestAnimationFrame(work);
  };

  const note = (node) => {
    if (!(node instanceof Element)) return;
    if (node.matches(CELLS) || painted.has(node)) waiting.add(node);
    node.querySelectorAll(CELLS).forEach((cell) => waiting.add(cell));
  };
  const noteAround = (node) => {
    const cell = (node instanceof Element ? node : node.parentElement)?.closest("[data-colours]");
    if (cell) waiting.add(cell);
  };

  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type !== "childList" || change.target.closest?.("[data-colours]")) noteAround(change.target);
      change.addedNodes.forEach(note);
      change.removedNodes.forEach(note);
    }
    if (waiting.size > 0 && !scheduled) { scheduled = true; requestAnimationFrame(work); }
  }).observe(root, { subtree: true, childList: true, characterData: true, attributeFilter: ["data-colours"] });
})();
