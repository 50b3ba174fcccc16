// Small conveniences that need no server: notices that leave by themselves, and copy buttons.
(() => {
  const STAY = 6000; // milliseconds a notice stays that is not an error

  const watchNotices = () => {
    document.querySelectorAll('[data-notice]:not([data-tone="error"])').forEach((notice) => {
      if (notice.dataset.timed) return;
      notice.dataset.timed = "yes";
      const leave = () => {
        if (!notice.isConnected) return;
        if (notice.matches(":hover, :focus-within")) { setTimeout(leave, 1500); return; }
        notice.querySelector("button")?.click();
      };
      setTimeout(leave, STAY);
    });
  };
  new MutationObserver(watchNotices).observe(document.documentElement, { childList: true, subtree: true });

  const copyText = async (text) => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea"); // plain HTTP has no clipboard API
    area.value = text;
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    return undefined;
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    event.preventDefault();
    event.stopPropagation();
    await copyText(button.dataset.copy);
    button.dataset.copied = "yes";
    setTimeout(() => { delete button.dataset.copied; }, 1200);
  });

  // The address and name typed into a form that the server refused: [data-keep] names the text.
  const keep = () => {
    document.querySelectorAll("[data-keep]:not([data-kept])").forEach((field) => {
      field.dataset.kept = "yes";
      const name = `keep:${field.dataset.keep}`;
      const refused = new URLSearchParams(location.search).has("error");
      if (refused && !field.value) field.value = sessionStorage.getItem(name) || "";
      sessionStorage.removeItem(name);
      field.form?.addEventListener("submit", () => sessionStorage.setItem(name, field.value));
    });
  };
  new MutationObserver(keep).observe(document.documentElement, { childList: true, subtree: true });

  // A log that follows: kept at its end unless somebody scrolled up.
  const follow = () => {
    document.querySelectorAll("[data-follow]").forEach((box) => {
      if (!box.dataset.bound) {
        box.dataset.bound = "yes";
        box.dataset.pinned = "yes";
        box.addEventListener("scroll", () => {
          box.dataset.pinned = box.scrollHeight - box.scrollTop - box.clientHeight < 24 ? "yes" : "no";
        }, { passive: true });
      }
      if (box.dataset.follow === "on" && box.dataset.pinned === "yes") box.scrollTop = box.scrollHeight;
    });
  };
  new MutationObserver(follow).observe(document.documentElement, { childList: true, subtree: true, characterData: true });
})();
