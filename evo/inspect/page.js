// Point at a node, or tap it, to see what it reads and what reads it.
"use strict";
for (const drawing of document.querySelectorAll(".network svg")) {
  const edges = [...drawing.querySelectorAll("[data-source]")];
  const nodes = [...drawing.querySelectorAll("[data-node]")];
  const trace = (node) => {
    const touched = new Set([node]);
    for (const edge of edges) {
      const ends = [edge.dataset.source, edge.dataset.target];
      const mine = ends.includes(node);
      edge.classList.toggle("traced", mine);
      if (mine) ends.forEach((end) => touched.add(end));
    }
    for (const one of nodes) one.classList.toggle("traced", touched.has(one.dataset.node));
    drawing.classList.add("tracing");
  };
  for (const node of nodes) node.addEventListener("pointerenter", () => trace(node.dataset.node));
  drawing.addEventListener("pointerleave", () => drawing.classList.remove("tracing"));
  drawing.addEventListener("pointerover", (event) => {
    if (!event.target.closest("[data-node]")) drawing.classList.remove("tracing");
  });
}
