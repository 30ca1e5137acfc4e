// A study: one line is shown alone where it, or its name, is pointed at or has the focus; its numbers stand in every panel.
for (const [number, study] of (JSON.parse(document.getElementById("data").textContent).studies ?? []).entries()) {
  const section = document.querySelector(`[data-study="${number}"]`);
  if (!section) continue; // nothing finite was recorded
  const entries = [...section.querySelectorAll("[data-entry]")];
  const drawings = [...section.querySelectorAll(".panel svg")];
  const slider = section.querySelector("input");
  const [left, width, top, height] = study.scale;
  const state = { kept: null, place: study.when.length - 1 };

  const short = (value) => {
    const size = Math.abs(value);
    return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  };
  function words(panel, line) {
    const [centre, low, high] = [panel.centre, panel.low, panel.high].map((lines) => lines[line][state.place]);
    if (centre === null) return "none";
    if (low === null || high === null) return short(centre);
    if (!study.interval) return `${short(centre)} (${short(low)} to ${short(high)})`;
    return `${short(centre)} ± ${short(Number((centre - low).toPrecision(2)))}`;
  }
  function trace(line) {
    section.classList.toggle("tracing", line !== null);
    for (const mark of section.querySelectorAll("[data-line], [data-entry]")) {
      mark.classList.toggle("traced", Number(mark.dataset.line ?? mark.dataset.entry) === line);
    }
    for (const [place, drawing] of drawings.entries()) {
      const panel = study.panels[place];
      const cursor = drawing.querySelector(".cursor");
      cursor.setAttribute("x1", panel.across[state.place]);
      cursor.setAttribute("x2", panel.across[state.place]);
      drawing.querySelector(".readout").textContent = line === null ? "" : words(panel, line);
    }
    if (slider) {
      slider.value = state.place;
      const at = study.when[state.place];
      slider.setAttribute("aria-valuetext", `${study.moment} ${at}`);
      section.querySelector("output").textContent = at;
    }
  }
  const focused = () => {
    const entry = document.activeElement?.closest?.("[data-entry]");
    return entry && section.contains(entry) ? Number(entry.dataset.entry) : null;
  };
  const rest = () => trace(state.kept ?? focused());
  function keep(line) {
    state.kept = line;
    for (const entry of entries) entry.setAttribute("aria-pressed", String(Number(entry.dataset.entry) === line));
  }
  function nearest(panel, drawing, event) {
    const box = drawing.getBoundingClientRect();
    const view = drawing.viewBox.baseVal;
    const x = ((event.clientX - box.left) * view.width) / box.width;
    const y = ((event.clientY - box.top) * view.height) / box.height;
    const gaps = panel.across.map((one) => Math.abs(one - x));
    state.place = gaps.indexOf(Math.min(...gaps));
    let [best, least] = [null, Infinity];
    for (const [line, ups] of panel.up.entries()) {
      const up = ups[state.place];
      const gap = up === null ? Infinity : Math.abs(top + height * (1 - up) - y);
      if (gap < least) [best, least] = [line, gap];
    }
    return x < left - 12 || x > left + width + 12 ? null : best;
  }

  for (const entry of entries) {
    const line = Number(entry.dataset.entry);
    entry.addEventListener("pointerenter", () => trace(line));
    entry.addEventListener("pointerleave", rest);
    entry.addEventListener("focus", () => trace(line));
    entry.addEventListener("blur", () => trace(state.kept));
    entry.addEventListener("click", () => {
      keep(state.kept === line ? null : line);
      trace(line);
    });
  }
  for (const [place, drawing] of drawings.entries()) {
    drawing.addEventListener("pointermove", (event) => {
      const line = nearest(study.panels[place], drawing, event);
      trace(state.kept ?? line);
    });
    drawing.addEventListener("pointerleave", rest);
    drawing.addEventListener("click", (event) => {
      const line = nearest(study.panels[place], drawing, event);
      keep(state.kept === line ? null : line);
      trace(line);
    });
  }
  slider?.addEventListener("input", () => {
    state.place = Number(slider.value);
    trace(state.kept ?? focused() ?? 0);
  });
  slider?.addEventListener("blur", rest);
  section.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    keep(null);
    rest();
  });
}
document.body.dataset.ready = "true";
