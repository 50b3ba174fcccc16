// <ac-time at="ISO" mode="ago|until|elapsed" [to="ISO"]>: relative time, absolute in the tooltip.
// The text lives in a shadow root, so React and this script never write the same node.
(() => {
  const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const live = new Set();

  const span = (seconds) => {
    const whole = Math.max(0, Math.floor(seconds));
    if (whole < 1) return "0 s";
    for (let i = 0; i < UNITS.length; i += 1) {
      const [name, size] = UNITS[i];
      if (whole < size) continue;
      const text = `${Math.floor(whole / size)} ${name}`;
      const next = UNITS[i + 1];
      if (!next || i === 1 && whole >= 36000 || i === 0 && whole >= 864000) return text;
      const rest = Math.floor((whole % size) / next[1]);
      return rest && (i < 2 || whole < 600) ? `${text} ${rest} ${next[0]}` : text;
    }
    return "0 s";
  };

  const coarse = (seconds) => {
    const [name, size] = UNITS.find(([, unit]) => seconds >= unit) || UNITS[3];
    return `${Math.floor(seconds / size)} ${name}`;
  };

  const precise = (ms) => {
    if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
    if (ms < 10000) return `${(ms / 1000).toFixed(1)} s`;
    return span(ms / 1000);
  };

  class AcTime extends HTMLElement {
    static observedAttributes = ["at", "to", "mode"];

    constructor() {
      super();
      this.text = document.createTextNode("");
      this.attachShadow({ mode: "open" }).append(this.text);
    }

    connectedCallback() { live.add(this); this.show(); }
    disconnectedCallback() { live.delete(this); }
    attributeChangedCallback() { this.show(); }

    show() {
      const raw = this.getAttribute("at");
      const at = Date.parse(raw || "");
      if (Number.isNaN(at)) { this.set("–"); this.removeAttribute("title"); return; }
      const title = new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
      if (this.title !== title) this.title = title;
      const now = Date.now();
      const mode = this.getAttribute("mode") || "ago";
      if (mode === "elapsed") {
        const to = Date.parse(this.getAttribute("to") || "");
        this.set(Number.isNaN(to) ? span((now - at) / 1000) : precise(to - at));
      } else if (mode === "until") {
        const left = (at - now) / 1000;
        const near = left <= 0 ? "over" : left < 3600 ? "soon" : "far";
        if (this.dataset.near !== near) this.dataset.near = near;
        this.set(left <= 0 ? "overdue" : `in ${span(left)}`);
      } else {
        const age = (now - at) / 1000;
        this.set(age < 0 ? `in ${coarse(-age)}` : age < 5 ? "just now" : `${coarse(age)} ago`);
      }
    }

    set(text) { if (this.text.data !== text) this.text.data = text; }
  }

  customElements.define("ac-time", AcTime);
  setInterval(() => { if (!document.hidden) live.forEach((one) => one.show()); }, 1000);
  document.addEventListener("visibilitychange", () => live.forEach((one) => one.show()));
})();
