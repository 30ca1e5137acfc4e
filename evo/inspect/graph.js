// A drawing of a network, brought to life: nodes show what they put out, edges what they carry, and can be cut.
"use strict";

class Graph {
  /**
   * @param drawing the SVG element.
   * @param network what it draws: `edges`, and `uniform`, whether they have no weights of their own.
   * @param toggle called with the number of an edge that is to be cut, or mended.
   */
  constructor(drawing, network, toggle) {
    this.drawing = drawing;
    this.network = network;
    this.nodes = [...drawing.querySelectorAll("[data-node]")].map((group) => this.#node(group));
    const numbers = new Map(network.edges.map(([source, target], number) => [`${source},${target}`, number]));
    this.edges = [...drawing.querySelectorAll("[data-source]")].map((path) => {
      const { source, target } = path.dataset;
      return this.#edge(path, numbers.get(`${source},${target}`), toggle);
    });
    drawing.append(...drawing.querySelectorAll(":scope > [data-node]")); // nodes stay above what is clicked
    drawing.setAttribute("role", "group");
    drawing.classList.add("live");
    this.edges[0]?.hit.setAttribute("tabindex", "0");
  }

  #node(group) {
    const rim = group.querySelector("circle");
    const disc = rim.cloneNode();
    const input = group.classList.contains("input");
    disc.setAttribute("class", "activity");
    input ? group.prepend(disc) : rim.after(disc);
    const size = rim.r.baseVal.value;
    return { disc, number: Number(group.dataset.node), least: input ? size : 0, reach: input ? 1.6 * size : size };
  }

  #edge(path, number, toggle) {
    const hit = path.cloneNode(true); // wider than the line, and what a pointer or the keyboard finds
    for (const name of ["data-source", "data-target", "stroke-width"]) hit.removeAttribute(name);
    hit.setAttribute("class", "hit");
    hit.setAttribute("tabindex", "-1");
    hit.setAttribute("role", "button");
    hit.setAttribute("aria-label", `cut ${path.textContent}`);
    hit.addEventListener("click", () => toggle(number));
    hit.addEventListener("keydown", (event) => this.#key(event, hit, () => toggle(number)));
    this.drawing.append(hit);
    const [source, , weight] = this.network.edges[number];
    return { path, hit, number, source, weight, cut: false, flow: -1, sign: "" };
  }

  /** Enter and the space bar cut or mend; arrows go to the next connection. */
  #key(event, hit, act) {
    const place = this.edges.findIndex((edge) => edge.hit === hit);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter" || event.key === " ") act();
    else if (step) this.edges.at((place + step) % this.edges.length).hit.focus();
    else return;
    event.preventDefault();
    for (const edge of this.edges) edge.hit.setAttribute("tabindex", edge.hit === document.activeElement ? "0" : "-1");
  }

  /** Show which edges are cut, a Set of numbers. */
  mark(cut) {
    for (const edge of this.edges) {
      edge.cut = cut.has(edge.number);
      edge.path.classList.toggle("cut", edge.cut);
      edge.hit.setAttribute("aria-pressed", String(edge.cut));
    }
  }

  /** Show what nodes put out, `values` by node, and what edges carry with this shared weight, or null for their own. */
  show(values, weight) {
    for (const { disc, number, least, reach } of this.nodes) {
      disc.r.baseVal.value = least + reach * Math.sqrt(Graph.#size(values[number]));
      disc.classList.toggle("minus", values[number] < 0);
    }
    for (const edge of this.edges) {
      const carried = edge.cut ? 0 : (weight ?? edge.weight) * values[edge.source];
      const flow = Graph.#size(carried).toFixed(2);
      if (flow !== edge.flow) edge.path.style.setProperty("--flow", (edge.flow = flow));
      if (this.network.uniform) this.#sign(edge, flow > 0 ? (carried < 0 ? "negative" : "positive") : "");
    }
  }

  #sign(edge, sign) {
    if (sign === edge.sign) return;
    if (edge.sign) edge.path.classList.remove(edge.sign);
    if (sign) edge.path.classList.add(sign);
    edge.sign = sign;
  }

  /** Return how much of a number is shown: 0 for 0, nearly 1 from 2 up. */
  static #size(value) {
    return Number.isNaN(value) ? 1 : Math.tanh(Math.abs(value));
  }
}
