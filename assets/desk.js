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

  // Who looks at a card: told once it has been open for a moment, every half minute while the
  // page is seen, and when it is left. Nobody waits for it, and the card is whole without it.
  const MOMENT = 700, BEAT = 30000;
  let looking = "", told = 0, before = Promise.resolve();
  const tell = (id, method, atOnce) => {
    const send = () => fetch(`/api/agent-checkpoints/${encodeURIComponent(id)}/viewers`, {
      method, keepalive: true, headers: { "X-Requested-With": "desk" },
    }).then((answer) => answer.text()).catch(() => { told = 0; }); // said again with the next look
    // One after the other: who came and left at once must not be heard to leave first.
    before = atOnce ? send() : before.then(send);
  };
  const look = (gone) => {
    const card = document.querySelector("article[data-checkpoint]");
    const seen = card && !gone && !document.hidden && card.getClientRects().length > 0;
    const id = seen ? card.dataset.checkpoint : "";
    const now = Date.now();
    if (id !== looking) {
      if (looking && told > 0) tell(looking, "DELETE", gone);
      looking = id;
      told = 0;
      if (id) setTimeout(look, MOMENT, false);
      return;
    }
    if (!id || now - told < BEAT) return;
    told = now;
    tell(id, "POST", false);
  };
  setInterval(look, 5000, false);
  document.addEventListener("visibilitychange", () => look(false));
  window.addEventListener("pagehide", () => look(true));

  // A common reason ([data-fill] names the field) is put below what was typed, to be edited there.
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-fill]");
    const field = button && document.getElementById(button.dataset.fill);
    if (!field) return;
    field.value = [field.value.trimEnd(), button.textContent].filter(Boolean).join("\n");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });

  let opened = null;
  const another = () => {
    const card = document.querySelector("article[data-checkpoint]");
    const id = card ? card.dataset.checkpoint : "";
    if (id === opened) return;
    const first = opened === null || opened === "";
    opened = id;
    look(false);
    if (first || !card) return;
    if (window.matchMedia("(max-width: 60rem)").matches) window.scrollTo(0, 0);
    setTimeout(() => {
      if (document.activeElement === document.body) card.focus({ preventScroll: true });
    }, 60); // after a closing dialog has let go of the focus
  };

  new MutationObserver(() => { drafts(); another(); })
    .observe(document.documentElement, { childList: true, subtree: true });
})();
