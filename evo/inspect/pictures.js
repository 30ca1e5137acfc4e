// Pictures that the network names the class of: one in full, with the probability of each class, and all in small.
"use strict";

class Pictures {
  /** @param data `problem_side`, and `problem_pictures` of `values` (0 to 1) and `label`. */
  constructor(data) {
    this.side = data.problem_side;
    this.pictures = data.problem_pictures;
    this.count = this.pictures.length;
    this.settings = { start: 0 };
    this.canvas = document.getElementById("picture");
    this.thumbnails = this.pictures.map(({ values, label }, number) => {
      const button = document.createElement("button");
      const small = document.createElement("canvas");
      this.#paint(small, values);
      button.type = "button";
      button.setAttribute("aria-label", `picture ${number + 1}, of class ${label}`);
      button.append(small);
      button.addEventListener("click", () => this.choose(number));
      return button;
    });
    document.getElementById("pictures").append(...this.thumbnails);
  }

  #paint(canvas, values) {
    canvas.width = canvas.height = this.side;
    const context = canvas.getContext("2d");
    const image = context.createImageData(this.side, this.side);
    values.forEach((value, pixel) => image.data.set([255 * value, 255 * value, 255 * value, 255], 4 * pixel));
    context.putImageData(image, 0, 0);
  }

  /** Show all pictures to a network; see Episodes. */
  prepare(network, settings) {
    this.settings = settings;
    const net = new Network(network, activations);
    this.classes = network.outputs;
    this.answers = this.pictures.map(({ values, label }, number) => {
      net.reset();
      const outputs = net.step(values, settings.weight, settings.cut);
      if (number === settings.start) this.values = Float64Array.from(net.values);
      const most = Math.max(...outputs);
      const powers = outputs.map((output) => Math.exp(output - most));
      const total = powers.reduce((sum, power) => sum + power, 0);
      const named = outputs.indexOf(most);
      return { shares: powers.map((power) => power / total), named, right: this.classes[named] === label };
    });
    const right = this.answers.filter((answer) => answer.right).length;
    document.body.dataset.score = right;
    document.getElementById("right").textContent =
      `Live: ${right} of these ${this.count} pictures right.`;
    this.thumbnails.forEach((button, number) => {
      button.className = this.answers[number].right ? "right" : "wrong";
      button.setAttribute("aria-pressed", String(number === settings.start));
    });
  }

  advance() {
    return true;
  }

  draw() {
    const { values, label } = this.pictures[this.settings.start];
    const { shares, named, right } = this.answers[this.settings.start];
    this.#paint(this.canvas, values);
    this.canvas.setAttribute("aria-label", `a picture of class ${label}`);
    const verdict = document.getElementById("verdict");
    verdict.textContent = right ? `${label}: right` : `${label}, taken for ${this.classes[named] ?? "nothing"}: wrong`;
    verdict.className = right ? "right" : "wrong";
    document.getElementById("bars").replaceChildren(
      ...shares.map((share, place) => {
        const [row, name, bar, number] = ["li", "span", "i", "small"].map((kind) => document.createElement(kind));
        name.textContent = this.classes[place];
        bar.style.setProperty("--share", Number.isFinite(share) ? share : 0);
        number.textContent = `${(100 * share).toFixed(0)} %`;
        row.append(name, bar, number);
        row.className = `${place === named ? "named" : ""} ${this.classes[place] === label ? "true" : ""}`;
        return row;
      }),
    );
  }
}
