"use strict";
(() => {
  const root = document.documentElement;
  const read = id => JSON.parse(document.getElementById(id).textContent);
  const css = name => getComputedStyle(root).getPropertyValue(name).trim();
  const hidden = new Set(); // names of stacks switched off
  const plots = [];

  // Numbers are written as in the table: three digits, commas between thousands.
  function number(v) {
    const size = Math.abs(v);
    if (size >= 99.95) return Math.round(v).toLocaleString("en-US");
    if (size >= 9.995) return v.toFixed(1);
    if (size >= 0.9995) return v.toFixed(2);
    return v === 0 ? "0" : v.toPrecision(3);
  }

  function theme(name) {
    root.dataset.theme = name;
    plots.forEach(p => p.plot.redraw());
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

  // Rows that are not ranked stay at the end whatever the column.
  function sortTable(button) {
    const table = document.getElementById("summary");
    const column = Number(button.dataset.column);
    const head = button.closest("th");
    const falling = head.getAttribute("aria-sort") ? head.getAttribute("aria-sort") === "ascending" : column > 0;
    const key = row => {
      const cell = row.cells[column];
      if (row.classList.contains("out") || !cell) return null;
      if (column === 0) return cell.firstChild.textContent;
      return cell.dataset.sort === "" ? null : Number(cell.dataset.sort);
    };
    const rows = [...table.tBodies[0].rows].map((row, i) => ({ row, i, key: key(row) }));
    rows.sort((a, b) => {
      if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.i - b.i;
      const order = a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
      return (falling ? -order : order) || a.i - b.i;
    });
    table.tBodies[0].append(...rows.map(r => r.row));
    table.querySelectorAll("thead th").forEach(th => th.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", falling ? "descending" : "ascending");
  }

  async function copyMarkdown(button) {
    const text = read("markdown");
    try {
      await navigator.clipboard.writeText(text);
    } catch { // a page opened from a file may not have the clipboard
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const label = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = label; }, 1500);
  }

  // align puts all series on one list of sizes, as uPlot wants them.
  function align(chart) {
    const xs = [...new Set(chart.series.flatMap(s => s.points.map(p => p.x)))].sort((a, b) => a - b);
    const at = new Map(xs.map((x, i) => [x, i]));
    const points = chart.series.map(s => {
      const row = new Array(xs.length).fill(null);
      s.points.forEach(p => { row[at.get(p.x)] = p; });
      return row;
    });
    return { xs, points };
  }

  const isPercentile = chart => chart.key === "percentiles";
  const percent = x => Number((100 * (1 - 1 / x)).toFixed(3));
  const sizeLabel = (chart, x) => isPercentile(chart) ? "p" + percent(x) : x.toLocaleString("en-US");
  const percentileTicks = [1, 2, 10, 20, 100, 1000];

  function axes(chart, data) {
    const stroke = () => css("--muted"), grid = { stroke: () => css("--line"), width: 1 }, ticks = { ...grid, size: 4 };
    const sizes = isPercentile(chart) ? percentileTicks : data.xs;
    const font = "12px system-ui, sans-serif";
    return [
      { label: chart.x, labelSize: 22, labelFont: font, font, stroke, ticks, grid: { show: false }, size: 34,
        splits: (u, i, min, max) => sizes.filter(x => x >= min * 0.999 && x <= max * 1.001), filter: (u, splits) => splits,
        values: (u, splits) => splits.map(x => sizeLabel(chart, x)) },
      { label: chart.y, labelSize: 22, labelFont: font, font, stroke, ticks, grid, size: 56,
        values: (u, splits) => splits.map(v => v === null ? "" : Number(v.toPrecision(6)).toLocaleString("en-US")) },
    ];
  }

  function scales(chart, data, log) {
    const tops = data.points.flat().filter(p => p).map(p => p.hi), lows = data.points.flat().filter(p => p && p.lo > 0).map(p => p.lo);
    const top = Math.max(...tops) * 1.06, low = Math.min(...lows) * 0.9;
    const first = data.xs[0], last = data.xs[data.xs.length - 1];
    const wide = chart.log2 || isPercentile(chart);
    const range = (u, min, max) => [min, max]; // uPlot would widen logarithmic axes to whole powers
    return {
      x: { time: false, range, distr: wide ? 3 : 1, log: chart.log2 ? 2 : 10, auto: false, min: wide ? first / 1.12 : first, max: wide ? last * 1.12 : last },
      y: log ? { range, distr: 3, log: 10, auto: false, min: low, max: top } : { range, auto: false, min: 0, max: top },
    };
  }

  // whiskers draws confidence intervals, and a cross over what failed its checks.
  function whiskers(chart, data) {
    return u => {
      const c = u.ctx, px = devicePixelRatio;
      c.save();
      c.beginPath();
      c.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
      c.clip();
      data.points.forEach((row, s) => {
        if (hidden.has(chart.series[s].name)) return;
        row.forEach((p, i) => {
          if (!p) return;
          const x = u.valToPos(data.xs[i], "x", true), y = v => u.valToPos(v, "y", true);
          if (p.n > 1) line(c, chart.series[s].color, 1.2 * px, [[x, y(p.lo), x, y(p.hi)], [x - 3 * px, y(p.lo), x + 3 * px, y(p.lo)], [x - 3 * px, y(p.hi), x + 3 * px, y(p.hi)]]);
          if (p.doubt) line(c, css("--alarm"), 2 * px, [[x - 5 * px, y(p.v) - 5 * px, x + 5 * px, y(p.v) + 5 * px], [x - 5 * px, y(p.v) + 5 * px, x + 5 * px, y(p.v) - 5 * px]]);
        });
      });
      c.restore();
    };
  }

  function line(c, color, width, strokes) {
    c.strokeStyle = color;
    c.lineWidth = width;
    c.beginPath();
    strokes.forEach(([a, b, d, e]) => { c.moveTo(a, b); c.lineTo(d, e); });
    c.stroke();
  }

  // tooltip lists the stacks at the size under the cursor, the highest first.
  function tooltip(chart, data, holder) {
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    tip.setAttribute("role", "status");
    holder.append(tip);
    return u => {
      const i = u.cursor.idx;
      const rows = i == null || u.cursor.left < 0 ? [] : data.points.map((row, s) => ({ p: row[i], s: chart.series[s] })).filter(r => r.p && !hidden.has(r.s.name));
      tip.hidden = rows.length === 0;
      if (tip.hidden) return;
      rows.sort((a, b) => b.p.v - a.p.v);
      tip.replaceChildren(element("b", sizeLabel(chart, data.xs[i]) + (isPercentile(chart) ? " of requests" : " " + chart.x)), ...rows.map(tipRow));
      const left = u.valToPos(data.xs[i], "x") + u.over.offsetLeft, wide = tip.offsetWidth;
      tip.style.left = Math.max(0, left + wide + 14 > holder.clientWidth ? left - wide - 12 : left + 12) + "px";
      tip.style.top = u.over.offsetTop + 6 + "px";
    };
  }

  function tipRow({ p, s }) {
    const row = document.createElement("div"), dot = document.createElement("i");
    dot.style.background = s.color;
    const span = p.n > 1 ? ` [${number(p.lo)}–${number(p.hi)}]` : "";
    row.append(dot, s.name + "  ", element("strong", number(p.v)), element("span", span));
    if (p.doubt) row.append(element("span", " not valid: " + p.doubt));
    return row;
  }

  function element(name, text) {
    const e = document.createElement(name);
    e.textContent = text;
    return e;
  }

  function draw(entry, log) {
    const { chart, holder, data } = entry;
    holder.replaceChildren();
    const show = tooltip(chart, data, holder);
    entry.plot = new uPlot({
      width: holder.clientWidth, height: 300, padding: [12, 24, 0, 0], legend: { show: false },
      scales: scales(chart, data, log), axes: axes(chart, data),
      cursor: { y: false, points: { size: 9 } },
      series: [{}, ...chart.series.map(s => ({
        label: s.name, stroke: s.color, width: 2, spanGaps: true, show: !hidden.has(s.name),
        points: { show: true, size: 7, fill: s.color },
      }))],
      hooks: { draw: [whiskers(chart, data)], setCursor: [show] },
    }, [data.xs, ...data.points.map(row => row.map(p => p ? p.v : null))], holder);
    entry.plot.over.addEventListener("dblclick", () => entry.plot.batch(() => {
      const all = scales(chart, data, log);
      entry.plot.setScale("x", { min: all.x.min, max: all.x.max });
      entry.plot.setScale("y", { min: all.y.min, max: all.y.max });
    }));
  }

  function step(entry, by) {
    const u = entry.plot, last = entry.data.xs.length - 1;
    const from = u.cursor.idx == null || u.cursor.left < 0 ? (by > 0 ? -1 : last + 1) : u.cursor.idx;
    const i = Math.min(last, Math.max(0, from + by));
    u.setCursor({ left: u.valToPos(entry.data.xs[i], "x"), top: 10 });
  }

  function startChart(chart) {
    const figure = document.getElementById("chart-" + chart.key);
    const holder = figure.querySelector(".plot");
    if (!holder) return;
    const entry = { chart, holder, data: align(chart) };
    const log = figure.querySelector(".log");
    draw(entry, false);
    plots.push(entry);
    log.addEventListener("click", () => {
      const on = log.getAttribute("aria-pressed") !== "true";
      log.setAttribute("aria-pressed", on);
      draw(entry, on);
    });
    holder.addEventListener("keydown", e => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (by) { e.preventDefault(); step(entry, by); }
      if (e.key === "Escape") entry.plot.setCursor({ left: -10, top: -10 });
    });
    new ResizeObserver(() => {
      if (holder.clientWidth > 0 && holder.clientWidth !== entry.plot.width) entry.plot.setSize({ width: holder.clientWidth, height: 300 });
    }).observe(holder);
  }

  function toggle(button) {
    const name = button.dataset.stack, on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", on);
    if (on) hidden.delete(name); else hidden.add(name);
    plots.forEach(({ chart, plot }) => chart.series.forEach((s, i) => {
      if (s.name === name) plot.setSeries(i + 1, { show: on });
    }));
  }

  startTheme();
  document.querySelectorAll("#summary thead button").forEach(b => b.addEventListener("click", () => sortTable(b)));
  document.getElementById("copy").addEventListener("click", e => copyMarkdown(e.currentTarget));
  read("data").forEach(startChart);
  document.querySelectorAll("#legend button").forEach(b => b.addEventListener("click", () => toggle(b)));
  root.dataset.ready = "true";
})();
