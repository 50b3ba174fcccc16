// Differences: the layout a person chose on this device, and syntax colour over plain text.
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
