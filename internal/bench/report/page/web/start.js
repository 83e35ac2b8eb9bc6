
  // start binds the page's elements; a page that follows a run does so again whenever they are new.
  function start() {
    plots.length = 0;
    startTable();
    startRecords();
    read("data").forEach(startChart);
    startTimeline(cells);
    document.querySelectorAll("#legend button").forEach(b => {
      b.setAttribute("aria-pressed", !hidden.has(b.dataset.stack));
      b.addEventListener("click", () => toggle(b));
    });
  }
