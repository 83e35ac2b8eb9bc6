
  startTheme();
  startTable();
  startRecords();
  read("data").forEach(startChart);
  startTimeline(cells);
  document.querySelectorAll("#legend button").forEach(b => b.addEventListener("click", () => toggle(b)));
  root.dataset.ready = "true";
})();
