// The command palette (Ctrl or ⌘ and K): the page's own verbs and the navigation's places are taken
// from the page, so that what may not be used is not offered; jobs and the like come from the server.
(() => {
  const dialog = () => document.getElementById("palette");
  const input = () => document.getElementById("palette-query");
  const options = () => [...dialog().querySelectorAll("[role=option]")].filter((one) => !one.hidden);

  const choose = (option) => {
    for (const one of dialog().querySelectorAll("[role=option]")) one.ariaSelected = String(one === option);
    if (option) input().setAttribute("aria-activedescendant", option.id);
    else input().removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  };

  const chosen = () => options().find((one) => one.ariaSelected === "true");
  const settle = () => { if (!chosen()) choose(options()[0]); };

  const offer = (number, title, hint, act) => {
    const option = document.createElement("div");
    const aside = document.createElement("span");
    option.id = `palette-here-${number}`;
    option.role = "option";
    option.className = "palette-option";
    aside.className = "ac-meta";
    aside.textContent = hint;
    option.append(title, aside);
    option.dataset.title = title.toLowerCase();
    option.addEventListener("click", act);
    return option;
  };

  const named = (one) => (one.ariaLabel ?? one.firstElementChild?.ariaLabel ?? one.textContent).trim();
  const usable = (one) => !one.disabled && one.getClientRects().length > 0;

  // What can be pressed on this page, and where its navigation leads.
  const fill = () => {
    const verbs = [...document.querySelectorAll("main button[data-hotkey], [data-testid=undo] button[data-hotkey]")].filter(usable);
    const places = [...document.querySelectorAll("nav[aria-label=Main] a")];
    document.getElementById("palette-here").replaceChildren(
      ...verbs.map((one, n) => offer(n, named(one), one.dataset.hotkey, () => one.click())),
      ...places.map((one, n) => offer(verbs.length + n, one.childNodes[1]?.textContent ?? named(one), "Page", () => one.click())),
    );
  };

  const narrow = () => {
    const wanted = input().value.trim().toLowerCase();
    for (const one of document.getElementById("palette-here").children) one.hidden = !one.dataset.title.includes(wanted);
    choose(options()[0]);
  };

  const open = () => {
    if (!dialog() || document.querySelector("dialog[open], [role=dialog], [role=alertdialog]")) return;
    fill();
    dialog().showModal();
    input().select();
    narrow();
  };

  const KEYS = {
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Enter: () => chosen()?.click(),
  };

  const step = (by) => {
    const all = options();
    choose(all[(all.indexOf(chosen()) + by + all.length) % all.length]);
  };

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      if (dialog()?.open) dialog().close(); else open();
    } else if (event.target.id === "palette-query" && KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });

  document.addEventListener("input", (event) => { if (event.target.id === "palette-query") narrow(); });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-palette]")) open();
    else if (event.target.closest?.("#palette [role=option]") || event.target.id === "palette") dialog().close();
  });

  // Answers of the server come when they come: something is always chosen, nothing else moves.
  new MutationObserver(() => { if (dialog()?.open) settle(); }).observe(document, { childList: true, subtree: true });
})();
