
  // Rows that are not ranked stay at the end whatever the column.
  function sortTable(table, button) {
    const column = Number(button.dataset.column);
    const head = button.closest("th");
    const falling = head.getAttribute("aria-sort") ? head.getAttribute("aria-sort") === "ascending" : column > 0;
    const key = row => {
      const cell = row.cells[column];
      if (row.classList.contains("out") || !cell) return null;
      if (cell.dataset.sort === undefined) return cell.firstChild.textContent;
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

  function startTable() {
    document.querySelectorAll("table.figures").forEach(table =>
      table.querySelectorAll("thead button").forEach(b => b.addEventListener("click", () => sortTable(table, b))));
    document.getElementById("copy").addEventListener("click", e => copy(e.currentTarget, read("markdown")));
    const command = document.getElementById("copy-command");
    if (command) command.addEventListener("click", e => copy(e.currentTarget, document.querySelector(".command").textContent));
  }

  async function copy(button, text) {
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
