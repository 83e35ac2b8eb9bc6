
  // follow takes the report again from the server that watches the run, whenever there is more.
  function follow() {
    const status = document.getElementById("live");
    if (!status) return;
    let shown = null, busy = false, again = false;
    const refresh = async () => {
      if (busy) { again = true; return; }
      busy = true;
      try {
        const text = await (await fetch("./")).text();
        renew(new DOMParser().parseFromString(text, "text/html"));
      } catch { /* the server is gone: its stream says so */ }
      busy = false;
      if (again) { again = false; refresh(); }
    };
    const stream = new EventSource("events");
    stream.onmessage = e => { if (shown !== null && e.data !== shown) refresh(); shown = e.data; };
    stream.onerror = () => { document.getElementById("live").textContent = "The server is gone; this is the run as it was."; };
  }

  // renew puts the new report in place of the old and leaves the reader where he was: what is open, chosen and hidden stays.
  function renew(doc) {
    const key = d => d.id || d.closest("[id]").id;
    const open = new Set([...document.querySelectorAll("details[open]")].map(key)), chosen = [...document.querySelectorAll("select")].map(s => s.value);
    for (const query of ["header .lede", "header .checks", "#live", "nav", "main", "#data", "#cells", "#markdown"]) {
      document.querySelector(query).replaceWith(document.adoptNode(doc.querySelector(query)));
    }
    document.querySelectorAll("details").forEach(d => { d.open = open.has(key(d)); });
    start();
    document.querySelectorAll("select").forEach((s, i) => {
      if (chosen[i] && [...s.options].some(o => o.value === chosen[i])) { s.value = chosen[i]; s.dispatchEvent(new Event("change")); }
    });
  }
