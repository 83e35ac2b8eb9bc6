
  let cells = { stacks: [], list: [] }; // behind every figure
  const pageOfRecords = 100;

  function recordRow(cell) {
    const row = document.createElement("tr"), stack = cells.stacks[cell.s];
    if (cell.invalid) row.className = "invalid";
    const name = element("th", stack.name, { scope: "row" });
    row.append(element("td", cell.i), name, element("td", cell.sweep.replace("_", " ")), element("td", cell.what, { class: "words" }), element("td", cell.repeat + 1), element("td", clock(cell.at)),
      element("td", number(cell.took)), element("td", cell.ok === cell.n ? cell.n.toLocaleString("en-US") : `${cell.ok} of ${cell.n}`), element("td", number(cell.eps)), element("td", number(cell.p50)), element("td", number(cell.p95)),
      element("td", cell.invalid || "passed", { class: "words" }));
    return row;
  }

  // listRecords fills the table with cells, a page at a time.
  function listRecords(list, says) {
    const body = document.querySelector("#records tbody"), more = document.getElementById("more");
    let shown = 0;
    const next = () => {
      body.append(...list.slice(shown, shown + pageOfRecords).map(recordRow));
      shown = Math.min(list.length, shown + pageOfRecords);
      more.hidden = shown >= list.length;
      more.textContent = `Show more (${list.length - shown} left)`;
    };
    body.replaceChildren();
    document.getElementById("records-of").textContent = says;
    more.onclick = next;
    next();
  }

  // showRecords lists the cells behind a figure; go also takes the reader there.
  function showRecords(places, go) {
    if (!places.length) return;
    const wanted = new Set(places), list = cells.list.filter(c => wanted.has(c.i));
    listRecords(list, `The ${list.length === 1 ? "cell" : list.length + " cells"} behind the chosen figure.`);
    document.getElementById("records-all").hidden = false;
    document.getElementById("records").open = true;
    if (go) document.getElementById("records").scrollIntoView();
  }

  function allRecords() {
    document.getElementById("records-all").hidden = true;
    listRecords(cells.list, `All ${cells.list.length} cells.`);
  }

  function startRecords() {
    cells = read("cells");
    document.querySelectorAll("button[data-from]").forEach(b => b.addEventListener("click", () => showRecords(b.dataset.from.split(",").map(Number), true)));
    document.getElementById("records-all").addEventListener("click", allRecords);
    document.getElementById("records").addEventListener("toggle", e => { if (e.target.open && !document.querySelector("#records tbody").rows.length) allRecords(); });
  }
