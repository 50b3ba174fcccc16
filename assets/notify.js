// "Notify me in this browser": a notification of the system when something new waits for a decision
// while this tab is in the background. The choice stays in this browser; the server knows nothing.
(() => {
  const ON = "ac-notify-browser";
  const DESK = "/admin/agent-checkpoints";
  const BLOCKED = "This browser blocks notifications; allow them in its settings for this site.";
  const MISSING = "This browser shows notifications on pages over HTTPS only.";
  let known = null; // how many waited when last heard of

  const possible = () => "Notification" in window && window.isSecureContext;
  const isOn = () => localStorage.getItem(ON) === "yes" && possible() && Notification.permission === "granted";

  const show = () => {
    document.querySelectorAll("[data-notify-switch]").forEach((button) => {
      const pressed = String(isOn());
      if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
    });
  };

  const say = (button, text) => {
    const place = button.parentElement.querySelector("[data-notify-answer]");
    if (place) place.textContent = text;
  };

  const turn = async (button) => {
    say(button, "");
    if (isOn()) localStorage.removeItem(ON);
    else if (!possible()) say(button, MISSING);
    else if (await Notification.requestPermission() === "granted") localStorage.setItem(ON, "yes");
    else say(button, BLOCKED);
    show();
  };

  const tell = (more, count) => {
    const one = new Notification(more === 1 ? "A checkpoint waits for a decision" : `${more} checkpoints wait for a decision`, {
      body: count > more ? `${count} wait in all.` : "Open the desk to look at it.",
      tag: "ac-pending", // one at a time: the newest takes the place of the one before
      renotify: true,
    });
    one.onclick = () => {
      window.focus();
      one.close();
      if (!location.pathname.startsWith(DESK)) location.assign(DESK);
    };
  };

  const look = () => {
    show();
    const text = document.querySelector("[data-pending]")?.dataset.pending ?? "";
    const count = Number.parseInt(text, 10);
    if (!(count >= 0)) return; // not known, as in an outage: what was known still is
    const more = known === null ? 0 : count - known;
    known = count;
    if (more > 0 && document.hidden && isOn()) tell(more, count);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-notify-switch]");
    if (button) turn(button);
  });
  window.addEventListener("storage", show); // another tab of this browser
  new MutationObserver(look).observe(document.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["data-pending"],
  });
})();
