// A problem's scene, drawn: shapes of metres in a box of pixels, large enough for all that has been seen.
"use strict";

class Stage {
  /** @param svg the element to draw in. */
  constructor(svg) {
    this.svg = svg;
    this.room = svg.viewBox.baseVal;
    this.box = null;
    this.shapes = [];
    this.ghost = this.#add("polyline", "ghost");
    this.trail = this.#add("polyline", "trail");
  }

  #add(kind, style) {
    const shape = document.createElementNS(this.svg.namespaceURI, kind);
    shape.setAttribute("class", style);
    this.svg.append(shape);
    return shape;
  }

  /**
   * Get ready for an episode.
   * @param scenes shapes at its steps, from the first on: the box holds them all, and grows over episodes.
   * @param every how many steps apart they are.
   */
  prepare(scenes, every) {
    const [first] = scenes;
    if (!this.shapes.length) this.shapes = first.map(([kind]) => this.#add({ line: "line", box: "rect" }[kind] ?? kind, kind));
    const still = first.map((shape, place) => scenes.every((scene) => scene[place].every((x, n) => Object.is(x, shape[n]))));
    this.shapes.forEach((shape, place) => shape.classList.toggle("still", still[place]));
    this.tip = still.lastIndexOf(false);
    for (const scene of scenes) this.#grow(scene);
    this.path = this.tip < 0 ? [] : scenes.map((scene) => Stage.#end(scene[this.tip]));
    this.every = every;
    this.ghost.setAttribute("points", this.#points(this.path));
  }

  #grow(scene) {
    for (const [x, y] of scene.flatMap(Stage.#corners)) {
      if (!Number.isFinite(x + y)) continue;
      const box = (this.box ??= { left: x, right: x, low: y, high: y, limit: Infinity });
      if (Math.abs(x) > box.limit || Math.abs(y) > box.limit) continue;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x);
      box.low = Math.min(box.low, y);
      box.high = Math.max(box.high, y);
    }
    // What flies off is not followed further than a few times what was there at first.
    if (this.box?.limit === Infinity) this.box.limit = 4 * Math.max(...Object.values(this.box).slice(0, 4).map(Math.abs));
  }

  /** Draw the scene of a step, and the way of its tip in the last ones. */
  draw(scene, step) {
    const before = JSON.stringify(this.box);
    this.#grow(scene);
    if (before !== JSON.stringify(this.box)) this.ghost.setAttribute("points", this.#points(this.path));
    scene.forEach((shape, place) => {
      for (const [name, value] of Object.entries(this.#attributes(shape))) {
        if (Number.isFinite(value)) this.shapes[place].setAttribute(name, value.toFixed(1));
      }
    });
    const last = step / this.every + 1;
    this.trail.setAttribute("points", this.#points(this.path.slice(Math.max(0, last - Stage.TRAIL / this.every), last)));
  }

  /** Return where a place in metres is on the screen. */
  #at([x, y]) {
    const { left, right, low, high } = this.box;
    const { width, height } = this.room;
    const scale = this.#scale();
    return [width / 2 + scale * (x - (left + right) / 2), height / 2 - scale * (y - (low + high) / 2)];
  }

  #scale() {
    const { left, right, low, high } = this.box;
    return 0.9 * Math.min(this.room.width / (right - left || 1), this.room.height / (high - low || 1));
  }

  #points(places) {
    const shown = places.filter(([x, y]) => Number.isFinite(x + y));
    return shown.map((place) => this.#at(place).map((x) => x.toFixed(1))).join(" ");
  }

  #attributes([kind, ...numbers]) {
    const scale = this.#scale();
    if (kind === "line") {
      const [[x1, y1], [x2, y2]] = [this.#at(numbers.slice(0, 2)), this.#at(numbers.slice(2))];
      return { x1, y1, x2, y2 };
    }
    const [x, y] = this.#at(numbers);
    if (kind === "circle") return { cx: x, cy: y, r: Math.max(1, scale * numbers[2]) };
    const [width, height] = [scale * numbers[2], scale * numbers[3]];
    return { x: x - width / 2, y: y - height / 2, width, height, rx: 0.12 * Math.min(width, height) };
  }

  static #corners([kind, x, y, a, b]) {
    if (kind === "line") return [[x, y], [a, b]];
    const [wide, high] = kind === "circle" ? [a, a] : [a / 2, b / 2];
    return [[x - wide, y - high], [x + wide, y + high]];
  }

  static #end([kind, x, y, a, b]) {
    return kind === "line" ? [a, b] : [x, y];
  }
}
/** Steps whose way shows brightly. */
Stage.TRAIL = 30;
