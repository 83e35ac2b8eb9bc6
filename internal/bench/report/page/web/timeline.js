
  // What the timeline can show of a window or a sample.
  const measures = {
    eps: { y: "embeddings/s", windows: true }, p50: { y: "p50 latency, ms", windows: true }, max: { y: "highest latency, ms", windows: true },
    mb: { y: "resident memory of the server, MB" }, pss: { y: "proportional set size of the server, MB" }, cores: { y: "cores in use by the server" },
    faults: { y: "page faults of the server, per second" }, gpu: { y: "GPU use, % of the time" }, gpumb: { y: "GPU memory, MB" }, watts: { y: "GPU power, watts" },
  };

  // endToEnd lays the cells of one load beside each other: in true time they would be
  // slivers, since all other loads lie between them. Every load at once is in true time.
  function endToEnd(chosen, whole) {
    const starts = new Map();
    let at = 0;
    [...chosen].sort((a, b) => a.at - b.at).forEach(c => {
      const warm = c.warm || 0;
      starts.set(c.i, whole ? c.at : at + warm);
      at += warm + c.took * 1.08;
    });
    return starts;
  }

  // trace is a cell's windows as points in time: each in the middle of its window.
  function trace(cell, start, measure) {
    const w = cell.w;
    if (!measures[measure].windows) {
      const s = cell.samples && cell.samples[measure];
      return s ? s.v.map((v, i) => ({ x: start + s.at[i], v })).filter(p => p.v != null) : [];
    }
    if (!w) return [];
    const n = w[measure].length, at = w[measure].map((_, i) => start + cell.took * (i + .5) / n);
    return w[measure].map((v, i) => ({ x: at[i], v })).filter(p => p.v != null);
  }

  // timeData puts all stacks on one list of times, with a gap after every cell.
  function timeData(all, chosen, starts, measure) {
    const xs = [], rows = [];
    chosen.filter(c => !hidden.has(all.stacks[c.s].name)).sort((a, b) => a.at - b.at).forEach(cell => {
      const start = starts.get(cell.i), points = trace(cell, start, measure);
      points.forEach(p => { xs.push(p.x); rows.push({ s: cell.s, v: p.v, cell }); });
      if (points.length) { xs.push(start + cell.took * 1.001); rows.push(null); }
    });
    const order = xs.map((_, i) => i).sort((a, b) => xs[a] - xs[b]);
    return { xs: order.map(i => xs[i]), rows: order.map(i => rows[i]) };
  }

  // shade marks the warm-ups, which are thrown away, and the cells that failed their checks.
  function shade(entry) {
    return u => clipped(u, c => {
      const band = (from, to, color, least) => {
        const x = u.valToPos(from, "x", true), width = Math.max(least, u.valToPos(to, "x", true) - x);
        c.fillStyle = color;
        c.fillRect(x, u.bbox.top, width, u.bbox.height);
      };
      entry.chosen.forEach(cell => {
        const start = entry.starts.get(cell.i);
        if (cell.warm > 0) band(start - cell.warm, start, css("--warm"), 1);
        if (cell.invalid) band(start, start + cell.took, css("--rejected"), 2);
      });
    });
  }

  // follows says whether a cell goes on where another ended, as the windows of a stress test do.
  const follows = (a, b) => a.s === b.s && a.sweep === "stress" && Math.abs(b.at - a.at - a.took) < a.took / 2;

  function timeLines(entry, all) {
    return u => clipped(u, (c, px) => {
      const { xs, rows } = entry.data;
      let last = null; // the point before
      rows.forEach((row, i) => {
        if (!row) return;
        const x = u.valToPos(xs[i], "x", true), y = u.valToPos(row.v, "y", true), color = all.stacks[row.s].color;
        if (last && (last.cell === row.cell || follows(last.cell, row.cell))) strokes(c, color, 1.6 * px, [[last.x, last.y, x, y]]);
        c.fillStyle = color;
        marker(c, row.s, x, y, 2.1 * px);
        last = { x, y, cell: row.cell };
      });
    });
  }

  function timeTip(entry, all, holder) {
    const tip = element("div", "", { class: "tip", role: "status" });
    tip.hidden = true;
    holder.append(tip);
    return u => {
      const row = u.cursor.idx == null || u.cursor.left < 0 ? null : entry.data.rows[u.cursor.idx];
      tip.hidden = !row;
      if (!row) return;
      const dot = document.createElement("i"), line = document.createElement("div");
      dot.style.background = all.stacks[row.s].color;
      line.append(dot, all.stacks[row.s].name + "  ", element("strong", number(row.v)), element("span", " " + entry.unit));
      const into = row.cell.at + entry.data.xs[u.cursor.idx] - entry.starts.get(row.cell.i);
      tip.replaceChildren(element("b", `${clock(into)} · ${row.cell.what}, repeat ${row.cell.repeat + 1}`), line);
      if (row.cell.invalid) tip.append(element("em", "not valid: " + row.cell.invalid));
      const left = u.valToPos(entry.data.xs[u.cursor.idx], "x") + u.over.offsetLeft, wide = tip.offsetWidth;
      tip.style.left = Math.max(0, left + wide + 14 > holder.clientWidth ? left - wide - 12 : left + 12) + "px";
      tip.style.top = u.over.offsetTop + 6 + "px";
    };
  }

  const minutes = s => `${Math.floor(s / 60)}:${String(Math.round(s % 60)).padStart(2, "0")}`;

  // sliceAxis has a tick where a cell begins.
  function sliceAxis(base, entry) {
    const begins = new Map(entry.chosen.map(c => [entry.starts.get(c.i), c]));
    const places = [...begins.keys()].sort((a, b) => a - b);
    let last = 0;
    return { ...base, splits: (u, i, min, max) => places.filter(x => x >= min && x <= max), filter: (u, list) => list,
      values: (u, list) => list.map((x, i) => {
        const at = u.valToPos(x, "x");
        if (i > 0 && at - last < 44) return "";
        last = at;
        return minutes(begins.get(x).at);
      }) };
  }

  const clock = s => `${Math.floor(s / 60)}:${(s % 60).toFixed(1).padStart(4, "0")}`;

  function drawTimeline(entry, all) {
    const { holder, measure, log } = entry, starts = entry.starts = endToEnd(entry.chosen, entry.whole), data = entry.data = timeData(all, entry.chosen, starts, measure.value);
    entry.unit = measures[measure.value].y;
    if (entry.plot) entry.plot.destroy();
    holder.replaceChildren();
    const values = data.rows.filter(Boolean).map(r => r.v), positive = values.filter(v => v > 0);
    entry.plot = null;
    if (!values.length || log && !positive.length) { holder.append(element("p", "No such records of this load.", { class: "caption" })); entry.plot = { width: holder.clientWidth, destroy() {}, setCursor() {} }; return; }
    const from = Math.min(...entry.chosen.map(c => starts.get(c.i) - c.warm)), to = Math.max(...entry.chosen.map(c => starts.get(c.i) + c.took)), margin = (to - from) * .01 || 1;
    const range = (u, min, max) => [min, max], top = Math.max(...values) * 1.06;
    entry.all = { min: from - margin, max: to + margin };
    const view = { x: entry.whole ? "time into the run, minutes:seconds" : "slices in their order, each from its time into the run, minutes:seconds", y: entry.unit, rules: [], series: [] };
    const [x, y] = axes({ key: "timeline", view, log }, data);
    entry.plot = new uPlot({
      width: holder.clientWidth, height: chartHeight, padding: [12, 16, 0, 0], legend: { show: false },
      scales: { x: { time: false, range, auto: false, ...entry.all }, y: log ? { range, distr: 3, log: 10, auto: false, min: Math.min(...positive) * .85, max: top } : { range, auto: false, min: 0, max: top } },
      axes: [entry.whole ? { ...x, space: 60, values: (u, list) => list.map(s => s < 0 ? "" : minutes(s)) } : sliceAxis(x, entry), y],
      cursor: { y: false, points: { show: false } }, series: [{}, { paths: () => null, points: { show: false } }],
      hooks: { drawClear: [shade(entry)], draw: [timeLines(entry, all)], setCursor: [timeTip(entry, all, holder)] },
    }, [data.xs, data.rows.map(r => r && r.v)], holder);
    entry.plot.over.addEventListener("dblclick", () => entry.plot.setScale("x", entry.all));
  }

  function startTimeline(all) {
    const figure = document.getElementById("timeline");
    if (!figure) return;
    const point = figure.querySelector(".point"), entry = { holder: figure.querySelector(".plot"), measure: figure.querySelector(".measure"), logButton: figure.querySelector(".log"), log: false };
    const loads = new Map(); // name of a load to its cells
    all.list.forEach(c => { const name = c.sweep.replace("_", " ") + ": " + c.what; loads.set(name, [...(loads.get(name) || []), c]); });
    point.append(element("option", "every load", { value: "" }), ...[...loads.keys()].map(name => element("option", name, { value: name })));
    [...entry.measure.options].forEach(o => { o.hidden = o.disabled = !all.list.some(c => trace(c, 0, o.value).length); });
    const first = [...loads.keys()].find(n => n.startsWith("online")) || "";
    point.value = first;
    entry.redraw = () => drawTimeline(entry, all);
    const choose = () => {
      entry.whole = !point.value;
      entry.chosen = entry.whole ? all.list : loads.get(point.value);
      entry.redraw();
    };
    point.addEventListener("change", choose);
    entry.measure.addEventListener("change", entry.redraw);
    entry.logButton.addEventListener("click", () => { entry.log = !entry.log; entry.logButton.setAttribute("aria-pressed", entry.log); entry.redraw(); });
    entry.holder.addEventListener("keydown", e => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (!by || !entry.data) return;
      e.preventDefault();
      const u = entry.plot, last = entry.data.xs.length - 1;
      let i = u.cursor.idx == null || u.cursor.left < 0 ? (by > 0 ? -1 : last + 1) : u.cursor.idx;
      do { i += by; } while (i > 0 && i < last && !entry.data.rows[i]);
      u.setCursor({ left: u.valToPos(entry.data.xs[Math.min(last, Math.max(0, i))], "x"), top: 10 });
    });
    choose();
    plots.push(entry);
    watchWidth(entry.holder, entry, entry.redraw);
  }
