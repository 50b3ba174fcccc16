// Brings a quoted place of a document into view, once, when it appears.
(() => {
  const look = () => {
    // On a phone the navigation scrolls: where one is should be in view.
    document.querySelectorAll(".ac-nav a[aria-current='page']").forEach((entry) => {
      if (entry.dataset.seen === location.pathname) return;
      entry.dataset.seen = location.pathname;
      const nav = entry.closest(".ac-nav");
      nav.scrollLeft = entry.offsetLeft - (nav.clientWidth - entry.clientWidth) / 2;
    });
    document.querySelectorAll("[data-here]").forEach((place) => {
      if (place.dataset.seen === location.href) return;
      place.dataset.seen = location.href;
      place.scrollIntoView({ block: "center" });
    });
  };
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
})();

// A chosen text file fills the field beside it; nothing is sent before its form is.
document.addEventListener("change", async (event) => {
  const input = event.target.closest?.("[data-fill]");
  const file = input?.files?.[0];
  if (!file) return;
  const area = document.getElementById(input.dataset.fill);
  const name = document.getElementById(input.dataset.name);
  const text = await file.text();
  const most = area.maxLength;
  input.setCustomValidity(text.length > most ? `The file has more than ${most.toLocaleString("en")} characters.` : "");
  if (!input.reportValidity()) return;
  area.value = text;
  const kind = document.getElementById(input.dataset.kind);
  if (kind) kind.value = /\.txt$/i.test(file.name) ? "text/plain" : "text/markdown";
  if (!name.value) name.value = file.name.replace(/\.[^.]*$/, "");
});

// Enter in a field that only searches must not send the form around it.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches?.("[data-quiet~='enter']")) event.preventDefault();
});
