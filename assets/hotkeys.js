// Single keys for what can be pressed anyway: [data-hotkey="a"], in sequence [data-hotkey="g j"].
// Silent while somebody types, while a dialog is open, with a modifier, and when turned off.
(() => {
  const OFF = "ac-single-keys-off";
  const SEQUENCE = 1200; // ms between the keys of one
  const TYPING = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]";
  let prefix = "";
  let prefixAt = 0;

  const isOff = () => localStorage.getItem(OFF) === "yes";

  const explain = () => {
    const overlay = document.getElementById("keys-help");
    if (!overlay) return false;
    overlay.querySelector("[data-keys-on]").checked = !isOff();
    overlay.showModal();
    return true;
  };

  const press = (keys) => {
    const found = [...document.querySelectorAll(`[data-hotkey="${CSS.escape(keys)}"]`)]
      .find((one) => !one.disabled && one.getClientRects().length > 0);
    if (!found) return false;
    if (found.matches(TYPING)) found.focus(); else found.click();
    return true;
  };

  const move = (step) => {
    const rows = [...document.querySelectorAll("[data-hotkey-row]")];
    if (rows.length === 0) return false;
    const focused = rows.indexOf(document.activeElement.closest("[data-hotkey-row]"));
    const here = focused >= 0 ? focused : rows.findIndex((one) => one.ariaCurrent === "true");
    rows[Math.min(Math.max(here + step, 0), rows.length - 1)].focus();
    return true;
  };

  // In the row that has the focus, and nowhere else: [data-row-hotkey="x"]; Shift goes along.
  const pressInRow = ({ key, target, shiftKey }) => {
    const found = target.closest("li")?.querySelector(`[data-row-hotkey="${CSS.escape(key.toLowerCase())}"]`);
    if (!found || found.disabled) return false;
    return found.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey })) || true;
  };

  const STEPS = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 };

  const act = (event) => {
    const { key, target } = event;
    const arrow = key.startsWith("Arrow");
    if (arrow && !target.closest("[data-hotkey-row]")) return false; // elsewhere they scroll
    const started = prefix && Date.now() - prefixAt < SEQUENCE ? prefix : "";
    prefix = "";
    if (started) return press(`${started} ${key}`);
    if (key in STEPS) return move(STEPS[key]);
    if (key === "g") { prefix = key; prefixAt = Date.now(); return true; }
    return key === "?" ? explain() : pressInRow(event) || press(key);
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isOff() || event.target.closest?.(TYPING)) return;
    if (document.querySelector("dialog[open], [role=dialog], [role=alertdialog]")) return;
    if (act(event)) event.preventDefault();
  });

  // Sends the form that somebody types in. No single key: it works whether those are on or off.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    const send = event.target.closest?.("form")?.querySelector('button[type="submit"]:not(:disabled)');
    if (!send || !event.target.matches("textarea, input, select")) return;
    event.preventDefault();
    send.click();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-keys-help]")) explain();
  });

  document.addEventListener("change", (event) => {
    if (!event.target.matches?.("[data-keys-on]")) return;
    if (event.target.checked) localStorage.removeItem(OFF); else localStorage.setItem(OFF, "yes");
  });
})();
