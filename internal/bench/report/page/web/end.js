
  startTheme();
  start();
  follow();
  root.dataset.ready = "true";
})();
