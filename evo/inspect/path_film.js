// Paths over generations: one picture whose lines and modules are as dark as they are frequent at the slider's moment.
{
  const film = JSON.parse(document.getElementById("data").textContent).paths;
  const slider = document.getElementById("paths-at");
  const stage = slider.closest(".paths");
  const lines = [...stage.querySelectorAll("[data-line]")];
  const modules = [...stage.querySelectorAll("[data-module]")];
  const opacity = (percent) => (percent > 0 ? film.faintest + (1 - film.faintest) * (percent / 100) : 0);

  function show(place) {
    const { words, lines: drawn, use, frozen, best } = film.snapshots[place];
    for (const line of lines) line.setAttribute("stroke-opacity", 0);
    for (const [number, percent] of drawn) lines[number].setAttribute("stroke-opacity", opacity(percent).toFixed(3));
    for (const module of modules) {
      const name = module.dataset.module;
      const [ground, share] = module.querySelectorAll("rect");
      ground.classList.toggle("frozen", frozen.includes(name));
      share.setAttribute("fill-opacity", opacity(use[name] ?? 0).toFixed(3));
      module.querySelector("circle").setAttribute("visibility", best.includes(name) ? "visible" : "hidden");
      const [layer, number] = name.split(" ").map(Number);
      const held = frozen.includes(name) ? `, ${film.held}` : "";
      module.querySelector("title").textContent =
        `layer ${layer + 1}, module ${number + 1}: on the paths of ${use[name] ?? 0} %${held}`;
    }
    slider.setAttribute("aria-valuetext", words);
    document.getElementById("paths-said").textContent = words;
  }

  slider.addEventListener("input", () => show(Number(slider.value)));
  show(Number(slider.value));
}
document.body.dataset.ready = "true";
