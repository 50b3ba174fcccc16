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
  if (!name.value) name.value = file.name.replace(/\.[^.]*$/, "");
});
