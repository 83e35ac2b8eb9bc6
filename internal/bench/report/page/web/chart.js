
  const chartHeight = 300, labelRoom = 330; // px; a narrower chart has no names beside its lines
  const apart = 3.2; // px between the places of stacks that share one
  const crowded = 25; // points, beyond which a line has no markers
  const axisFont = "12px system-ui, sans-serif", labelFont = "600 11.5px system-ui, sans-serif";

  // align puts all series on one list of places, as uPlot wants them.
  function align(view) {
    const xs = [...new Set(view.series.flatMap(s => s.points.map(p => p.x)))].sort((a, b) => a - b);
    const at = new Map(xs.map((x, i) => [x, i]));
    const points = view.series.map(s => {
      const row = new Array(xs.length).fill(null);
      s.points.forEach(p => { row[at.get(p.x)] = p; });
      return row;
    });
    return { xs, points };
  }

  const isPercentile = entry => entry.key === "percentiles";
  const percent = x => Number((100 * (1 - 1 / x)).toFixed(3));
  const raised = n => String(n).replace(/./g, d => d === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]);
  const placeLabel = (entry, x) => isPercentile(entry) ? "p" + percent(x) : entry.view.logx ? "10" + raised(Math.round(Math.log10(x))) : x.toLocaleString("en-US", { maximumSignificantDigits: 4 });
  const percentileTicks = [1, 2, 10, 20, 100, 1000, 10000];

  // ticks of the horizontal axis: the places measured where these are a few, else decades or round numbers.
  function xSplits(entry, data) {
    if (isPercentile(entry)) return percentileTicks;
    if (entry.view.logx) return Array.from({ length: 12 }, (_, i) => 10 ** (i - 9));
    return entry.view.log2 ? data.xs : null;
  }

  function xAxis(entry, data, base) {
    const splits = xSplits(entry, data);
    const values = (u, list) => {
      let last = -99; // labels that would touch are left out
      return list.map(x => {
        const at = u.valToPos(x, "x");
        if (x == null || at - last < 30) return "";
        last = at;
        return placeLabel(entry, x);
      });
    };
    const axis = { ...base, label: entry.view.x, size: 34, grid: { show: false }, values };
    return splits ? { ...axis, splits: (u, i, min, max) => splits.filter(x => x >= min * 0.999 && x <= max * 1.001), filter: (u, list) => list } : axis;
  }

  function axes(entry, data) {
    const stroke = () => css("--muted"), grid = { stroke: () => css("--line"), width: 1 };
    const base = { labelSize: 22, labelFont: axisFont, font: axisFont, stroke, ticks: { ...grid, size: 4 } };
    const plain = v => v == null ? "" : Number(v.toPrecision(6)).toLocaleString("en-US");
    const y = { ...base, label: entry.view.y, grid, size: 58, values: (u, splits) => splits.map(plain) };
    return [xAxis(entry, data, base), entry.log ? { ...y, splits: (u, i, min, max) => decades(min, max), filter: (u, list) => list } : y];
  }

  // decades are 1, 2 and 5 times the powers of ten within an axis; powers alone where it spans many,
  // and round numbers where it spans so little that there would be none to read it by.
  function decades(min, max) {
    const steps = max / min > 5000 ? [1] : [1, 2, 5], list = [];
    for (let power = Math.floor(Math.log10(min)); power <= Math.log10(max); power++) list.push(...steps.map(s => Number((s * 10 ** power).toPrecision(3))));
    const within = list.filter(v => v >= min && v <= max);
    return within.length > 2 ? within : rounds(min, max);
  }

  function rounds(min, max) {
    const power = 10 ** Math.floor(Math.log10((max - min) / 3)), step = [5, 2, 1].map(s => s * power).find(s => (max - min) / s >= 3);
    const first = Math.ceil(min / step);
    return Array.from({ length: Math.floor(max / step) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(6)));
  }

  function scales(entry, data, log) {
    const view = entry.view, all = data.points.flat().filter(p => p);
    const ruled = view.rules.filter(r => r.y).map(r => r.y);
    const top = Math.max(...all.map(p => p.hi), ...ruled) * (log ? 1.25 : 1.06);
    const low = Math.min(...all.filter(p => p.lo > 0).map(p => p.lo), ...ruled) * 0.85;
    const places = data.xs.concat(view.rules.filter(r => r.x).map(r => r.x));
    const first = Math.min(...places), last = Math.max(...places);
    const wide = view.log2 || view.logx, margin = (last - first) * 0.04 || 1, side = 5 + apart / 2 * view.series.length; // px for what is drawn beside the outermost places
    const factor = Math.max(1.14, (last / first) ** (side / Math.max(100, entry.holder.clientWidth - 90)));
    const range = (u, min, max) => [min, max]; // uPlot would widen logarithmic axes to whole powers
    return {
      x: { time: false, range, distr: wide ? 3 : 1, log: view.log2 ? 2 : 10, auto: false, min: wide ? first / factor : Math.max(0, first - margin), max: wide ? last * factor : last + margin },
      y: log ? { range, distr: 3, log: 10, auto: false, min: low, max: top } : { range, auto: false, min: 0, max: top },
    };
  }

  // clipped draws within the axes.
  function clipped(u, draw) {
    const c = u.ctx;
    c.save();
    c.beginPath();
    c.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
    c.clip();
    draw(c, devicePixelRatio);
    c.restore();
  }

  function strokes(c, color, width, list) {
    c.strokeStyle = color;
    c.lineWidth = width;
    c.beginPath();
    list.forEach(([a, b, d, e]) => { c.moveTo(a, b); c.lineTo(d, e); });
    c.stroke();
  }

  // marker is one of a few shapes, so that colour is not all that tells series apart.
  function marker(c, shape, x, y, r) {
    c.beginPath();
    switch (((shape % 4) + 4) % 4) {
      case 0: c.arc(x, y, r, 0, 7); break;
      case 1: c.rect(x - r * .9, y - r * .9, r * 1.8, r * 1.8); break;
      case 2: c.moveTo(x, y - r * 1.2); c.lineTo(x + r * 1.1, y + r * .9); c.lineTo(x - r * 1.1, y + r * .9); c.closePath(); break;
      default: c.moveTo(x, y - r * 1.3); c.lineTo(x + r * 1.3, y); c.lineTo(x, y + r * 1.3); c.lineTo(x - r * 1.3, y); c.closePath();
    }
    c.fill();
  }

  // lines draws every series with its intervals; places that stacks share are drawn
  // side by side, so that no interval hides another.
  function lines(entry, data) {
    return u => clipped(u, (c, px) => {
      const view = entry.view, step = view.log2 ? apart * px : 0, middle = (view.series.length - 1) / 2;
      data.points.forEach((row, s) => {
        const series = view.series[s];
        if (hidden.has(series.name)) return;
        const spots = row.map((p, i) => p && { p, x: u.valToPos(data.xs[i], "x", true) + (s - middle) * step, y: u.valToPos(p.v, "y", true) }).filter(Boolean);
        c.lineJoin = "round";
        c.strokeStyle = series.color;
        c.lineWidth = 2 * px;
        c.beginPath();
        spots.filter(({ p }) => !failed(p)).forEach(({ x, y }, i) => {
          if (entry.key === "agreement" && i > 0) c.lineTo(x, spots[i - 1].y); // a distribution rises in steps
          c.lineTo(x, y);
        });
        c.stroke();
        spots.forEach(({ p, x, y }) => {
          if (p.n > 1) {
            const lo = u.valToPos(p.lo, "y", true), hi = u.valToPos(p.hi, "y", true), arm = 3 * px;
            strokes(c, series.color, 1.2 * px, [[x, lo, x, hi], [x - arm, lo, x + arm, lo], [x - arm, hi, x + arm, hi]]);
          }
          c.fillStyle = series.color;
          if (!failed(p) && spots.length <= crowded) marker(c, series.shape, x, y, 3.4 * px);
          const low = u.bbox.top + u.bbox.height - 7 * px; // a cross on the axis would be half hidden
          if (p.doubt) cross(c, x, failed(p) ? low : y, px);
        });
      });
    });
  }

  // failed: nothing succeeded there. A cross says so; a line would call it slow.
  const failed = p => p.doubt && !p.v;

  function cross(c, x, y, px) {
    const a = 5.5 * px;
    strokes(c, css("--paper"), 5 * px, [[x - a, y - a, x + a, y + a], [x - a, y + a, x + a, y - a]]);
    strokes(c, css("--alarm"), 2.2 * px, [[x - a, y - a, x + a, y + a], [x - a, y + a, x + a, y - a]]);
  }

  // rules are lines across the chart; one that belongs to a stack has its colour.
  function rules(entry) {
    return u => clipped(u, (c, px) => {
      const { left, top, width, height } = u.bbox;
      entry.view.rules.filter(r => !hidden.has(r.stack)).forEach(r => {
        const series = entry.view.series.find(s => s.name === r.stack), color = series ? series.color : css("--muted");
        const x = r.x ? u.valToPos(r.x, "x", true) : left + 6 * px, y = r.y ? u.valToPos(r.y, "y", true) : top + height - 6 * px;
        c.setLineDash([5 * px, 4 * px]);
        strokes(c, color, 1.3 * px, [r.x ? [x, top, x, top + height] : [left, y, left + width, y]]);
        c.setLineDash([]);
        if (r.stack) return;
        c.font = axisFont.replace("12px", 12 * px + "px");
        const wide = c.measureText(r.name).width, over = x + wide + 8 * px > left + width;
        // a limit is named at its right end: curves that rise have left it there
        write(c, r.name, r.y ? left + width - wide - 4 * px : x + (over ? -wide - 5 * px : 5 * px), y - (r.y ? 7 * px : 4 * px), css("--muted"), px);
      });
    });
  }

  // write puts a text on the chart with a halo of paper, so that a line does not cross it out.
  function write(c, text, x, y, color, px, font = axisFont) {
    c.font = font.replace(/([\d.]+)px/, (m, size) => size * px + "px");
    c.textBaseline = "middle";
    c.textAlign = "left";
    c.lineWidth = 3.5 * px;
    c.strokeStyle = css("--paper");
    c.strokeText(text, x, y);
    c.fillStyle = color;
    c.fillText(text, x, y);
  }

  // names stands each series' name beside the end of its line, moved up or down where two would touch.
  function names(entry, data, short) {
    return u => {
      if (!entry.named) return;
      const c = u.ctx, px = devicePixelRatio, gap = 14 * px, { left, top, width, height } = u.bbox;
      c.font = labelFont.replace("11.5px", 11.5 * px + "px");
      const labels = entry.view.series.map((s, i) => {
        const last = data.points[i].map((p, k) => p && !failed(p) && { x: data.xs[k], v: p.v }).filter(Boolean).pop();
        if (!last || hidden.has(s.name)) return null;
        const x = u.valToPos(last.x, "x", true), y = u.valToPos(last.v, "y", true);
        return { s, x, y, to: y, at: x + 14 * px, wide: c.measureText(short(s.name)).width };
      }).filter(l => l && l.x >= left - 1 && l.x <= left + width + 1 && l.y >= top - 1 && l.y <= top + height + 1);
      labels.sort((a, b) => a.y - b.y);
      const touch = (a, b) => a.at < b.at + b.wide && b.at < a.at + a.wide;
      for (let round = 0; round < 40; round++) {
        labels.forEach((l, i) => labels.slice(i + 1).filter(near => touch(l, near) && near.to - l.to < gap).forEach(near => {
          const push = (gap - near.to + l.to) / 2;
          l.to -= push;
          near.to += push;
        }));
        labels.forEach(l => { l.to = Math.min(Math.max(l.to, top + 5 * px), top + height - 5 * px); });
      }
      c.save();
      labels.forEach(l => {
        strokes(c, l.s.color, px, [[l.x + 6 * px, l.y, l.at - 2 * px, l.to]]);
        write(c, short(l.s.name), l.at, l.to, l.s.color, px, labelFont);
      });
      c.restore();
    };
  }

  // tooltip lists the stacks at the place under the cursor, the highest first.
  function tooltip(entry, data, holder) {
    const tip = element("div", "", { class: "tip", role: "status" });
    tip.hidden = true;
    holder.append(tip);
    return u => {
      const i = u.cursor.idx;
      const rows = i == null || u.cursor.left < 0 ? [] : data.points.map((row, s) => ({ p: row[i], s: entry.view.series[s] })).filter(r => r.p && !hidden.has(r.s.name));
      tip.hidden = rows.length === 0;
      if (tip.hidden) return;
      rows.sort((a, b) => b.p.v - a.p.v);
      const cells = new Set(rows.map(r => r.p.cell)), head = isPercentile(entry) ? placeLabel(entry, data.xs[i]) + " of requests" : cells.size === 1 && rows[0].p.cell ? rows[0].p.cell : placeLabel(entry, data.xs[i]) + " " + entry.view.x;
      tip.replaceChildren(element("b", head), ...rows.map(tipRow));
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
    if (p.doubt) row.append(element("em", "not valid: " + p.doubt));
    return row;
  }

  function room(entry, holder, short) {
    entry.named = holder.clientWidth >= labelRoom && entry.view.series.length <= 12;
    if (!entry.named) return 16;
    const c = document.createElement("canvas").getContext("2d");
    c.font = labelFont;
    return 24 + Math.max(...entry.view.series.map(s => c.measureText(short(s.name)).width));
  }

  function draw(entry) {
    const { holder, log } = entry, data = entry.data = align(entry.view);
    const short = shorten(entry.view.series.map(s => s.name));
    if (entry.plot) entry.plot.destroy();
    holder.replaceChildren();
    const show = tooltip(entry, data, holder);
    entry.plot = new uPlot({
      width: holder.clientWidth, height: chartHeight, padding: [12, room(entry, holder, short), 0, 0], legend: { show: false },
      scales: scales(entry, data, log), axes: axes(entry, data),
      cursor: { y: false, points: { show: false } },
      series: [{}, ...entry.view.series.map(s => ({ label: s.name, stroke: s.color, paths: () => null, points: { show: false } }))],
      hooks: { draw: [rules(entry), lines(entry, data), names(entry, data, short)], setCursor: [show] },
    }, [data.xs, ...data.points.map(row => row.map(p => p ? p.v : null))], holder);
    entry.plot.over.addEventListener("dblclick", () => reset(entry));
    let pressed = 0; // a click shows the records; the end of a drag does not
    entry.plot.over.addEventListener("mousedown", e => { pressed = e.clientX; });
    entry.plot.over.addEventListener("click", e => { if (Math.abs(e.clientX - pressed) < 4) showRecords(under(entry), false); });
  }

  function reset(entry) {
    const all = scales(entry, entry.data, entry.log);
    entry.plot.batch(() => {
      entry.plot.setScale("x", { min: all.x.min, max: all.x.max });
      entry.plot.setScale("y", { min: all.y.min, max: all.y.max });
    });
  }

  function zoom(entry, by) {
    const u = entry.plot, i = u.cursor.idx == null ? Math.floor(entry.data.xs.length / 2) : u.cursor.idx;
    const { min, max, distr } = u.scales.x, wide = distr === 3, f = wide ? Math.log : v => v, g = wide ? Math.exp : v => v;
    const middle = f(entry.data.xs[i]), a = middle - (middle - f(min)) * by, b = middle + (f(max) - middle) * by;
    u.setScale("x", { min: g(a), max: g(b) });
  }

  function step(entry, by) {
    const u = entry.plot, last = entry.data.xs.length - 1;
    const from = u.cursor.idx == null || u.cursor.left < 0 ? (by > 0 ? -1 : last + 1) : u.cursor.idx;
    const i = Math.min(last, Math.max(0, from + by));
    u.setCursor({ left: u.valToPos(entry.data.xs[i], "x"), top: 10 });
  }

  // under lists the cells behind the figures at the cursor.
  function under(entry) {
    const i = entry.plot.cursor.idx;
    return i == null ? [] : entry.data.points.flatMap((row, s) => row[i] && !hidden.has(entry.view.series[s].name) ? row[i].from || [] : []);
  }

  function keys(entry) {
    return e => {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      const act = {
        ArrowRight: () => step(entry, 1), ArrowLeft: () => step(entry, -1), Escape: () => entry.plot.setCursor({ left: -10, top: -10 }),
        "+": () => zoom(entry, 0.6), "-": () => zoom(entry, 1 / 0.6), 0: () => reset(entry), l: () => entry.logButton.click(), Enter: () => showRecords(under(entry), true),
      }[e.key];
      if (act) { e.preventDefault(); act(); }
    };
  }

  // watchWidth draws again when a place has another width.
  function watchWidth(holder, entry, again) {
    new ResizeObserver(() => {
      if (holder.clientWidth > 0 && holder.clientWidth !== entry.plot.width) again();
    }).observe(holder);
  }

  const settings = new Map(); // key of a drawing to the view and axis that the reader chose

  function startChart(drawing) {
    const figure = document.getElementById("chart-" + drawing.key), holder = figure.querySelector(".plot");
    const kept = settings.get(drawing.key) || { view: drawing.start, log: drawing.views[drawing.start].logy };
    const entry = { key: drawing.key, view: drawing.views[Math.min(kept.view, drawing.views.length - 1)], holder, log: kept.log, logButton: figure.querySelector(".log") };
    entry.redraw = () => draw(entry);
    settings.set(drawing.key, kept);
    const setLog = on => { entry.log = kept.log = on; entry.logButton.setAttribute("aria-pressed", on); };
    setLog(entry.log);
    draw(entry);
    plots.push(entry);
    entry.logButton.addEventListener("click", () => { setLog(!entry.log); draw(entry); });
    figure.querySelectorAll(".views button").forEach((b, i) => b.setAttribute("aria-pressed", drawing.views[i] === entry.view));
    figure.querySelectorAll(".views button").forEach((b, i) => b.addEventListener("click", () => {
      figure.querySelectorAll(".views button").forEach(other => other.setAttribute("aria-pressed", other === b));
      kept.view = i;
      entry.view = drawing.views[i];
      draw(entry);
    }));
    holder.addEventListener("keydown", keys(entry));
    watchWidth(holder, entry, entry.redraw);
  }

  function toggle(button) {
    const name = button.dataset.stack, on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", on);
    if (on) hidden.delete(name); else hidden.add(name);
    plots.forEach(p => p.redraw());
  }
