// The desk's conveniences that need no server: drafts, focus and scroll when another card opens.
(() => {
  // What was typed outlives a lost connection or a restarted server: [data-draft] names the text.
  const drafts = () => {
    document.querySelectorAll("[data-draft]:not([data-drafted])").forEach((field) => {
      field.dataset.drafted = "yes";
      const name = `draft:${field.dataset.draft}`;
      const kept = sessionStorage.getItem(name);
      if (kept !== null && field.value === field.defaultValue) field.value = kept;
      field.addEventListener("input", () => sessionStorage.setItem(name, field.value));
      field.form?.addEventListener("submit", () => sessionStorage.removeItem(name));
    });
  };

  let opened = null;
  const another = () => {
    const card = document.querySelector("article[data-checkpoint]");
    const id = card ? card.dataset.checkpoint : "";
    if (id === opened) return;
    const first = opened === null || opened === "";
    opened = id;
    if (first || !card) return;
    if (window.matchMedia("(max-width: 60rem)").matches) window.scrollTo(0, 0);
    setTimeout(() => {
      if (document.activeElement === document.body) card.focus({ preventScroll: true });
    }, 60); // after a closing dialog has let go of the focus
  };

  new MutationObserver(() => { drafts(); another(); })
    .observe(document.documentElement, { childList: true, subtree: true });
})();
