(() => {
  "use strict";
  const root = document.documentElement;
  const read = id => JSON.parse(document.getElementById(id).textContent);
  const css = name => getComputedStyle(root).getPropertyValue(name).trim();
  const hidden = new Set(); // names of stacks switched off
  const plots = []; // each has a redraw()

  // Numbers are written as in the table: three digits, commas between thousands.
  function number(v) {
    if (v == null) return "–";
    const size = Math.abs(v);
    if (size >= 99.95) return Math.round(v).toLocaleString("en-US");
    if (size >= 9.995) return v.toFixed(1);
    if (size >= 0.9995) return v.toFixed(2);
    if (v !== 0 && size < 1e-4) return v.toExponential(1);
    return v === 0 ? "0" : v.toPrecision(3);
  }

  function element(name, text, attributes = {}) {
    const e = document.createElement(name);
    e.textContent = text;
    Object.entries(attributes).forEach(([key, value]) => e.setAttribute(key, value));
    return e;
  }

  // short leaves out what all names begin with: the program whose profiles they are.
  function shorten(names) {
    const head = names.length > 1 && names[0].includes("/") ? names[0].slice(0, names[0].indexOf("/") + 1) : "";
    return head && names.every(n => n.startsWith(head)) ? n => n.slice(head.length) : n => n;
  }

  function theme(name) {
    root.dataset.theme = name;
    plots.forEach(p => p.redraw());
  }

  // The head of the page has set the first theme, before anything was painted.
  function startTheme() {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", e => theme(e.matches ? "dark" : "light"));
    document.getElementById("theme").addEventListener("click", () => theme(root.dataset.theme === "dark" ? "light" : "dark"));
    let before = "light";
    addEventListener("beforeprint", () => { before = root.dataset.theme; theme("light"); });
    addEventListener("afterprint", () => theme(before));
  }
