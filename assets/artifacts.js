// Brings a quoted place of a document into view, once, when it appears.
(() => {
  const look = () => {
    document.querySelectorAll("[data-here]").forEach((place) => {
      if (place.dataset.seen === location.href) return;
      place.dataset.seen = location.href;
      place.scrollIntoView({ block: "center" });
    });
  };
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
})();
