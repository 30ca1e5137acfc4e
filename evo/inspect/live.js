// The page of a champion, alive: what the controls set, the problem and the drawing show, and the address remembers.
"use strict";

class LivePage {
  constructor(data) {
    this.data = data;
    this.descent = new Descent(data.pictures);
    this.graphs = [];
    this.show = data.kind === "control" ? new Episodes(data) : data.kind === "pictures" ? new Pictures(data) : null;
    this.ruler = document.getElementById("weight");
    this.marker = document.querySelector(".marker");
    this.playing = data.kind === "control" && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.rate = Number(document.getElementById("rate")?.value);
    this.#listen();
    this.#restore();
    addEventListener("hashchange", () => this.#restore());
    document.body.dataset.ready = "true";
    if (this.playing) this.#run();
  }

  #listen() {
    const on = (id, event, act) => document.getElementById(id)?.addEventListener(event, act);
    on("weight", "input", () => this.#change({ weight: this.#nearest(this.ruler.valueAsNumber) }));
    on("generation", "input", (event) => this.#change({ picture: event.target.valueAsNumber, cut: new Set() }));
    on("mend", "click", () => this.#change({ cut: new Set() }));
    on("previous", "click", () => this.#choose(this.settings.start - 1));
    on("next", "click", () => this.#choose(this.settings.start + 1));
    on("restart", "click", () => this.#change({}));
    on("rate", "change", (event) => (this.rate = Number(event.target.value)));
    on("play", "click", () => (this.playing ? this.#pause() : this.#run()));
    on("step", "click", () => {
      this.#pause();
      this.show.advance(1);
      this.#draw();
    });
    if (this.show) this.show.choose = (start) => this.#choose(start);
    if (this.ruler) this.marker?.ownerSVGElement.addEventListener("click", (event) => this.#point(event));
  }

  /** Take the settings from the address; what it does not name, or names wrongly, is as at first. */
  #restore() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    const number = (name, otherwise) => {
      const text = wanted.get(name);
      return text !== null && text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : otherwise;
    };
    const { weights, weight, pictures } = this.data;
    const generation = number("generation", null);
    const picture = generation === null ? this.descent.last : this.descent.place(generation);
    const edges = pictures[picture].network.edges.length;
    const cut = (wanted.get("cut") ?? "").split(",").filter((text) => /^\d+$/.test(text)).map(Number);
    this.settings = {
      weight: weights.length ? this.#nearest(number("weight", weights[weight])) : null,
      start: this.#within(Math.trunc(number("start", 1)) - 1),
      cut: new Set(cut.filter((edge) => edge < edges)),
      picture,
    };
    this.#apply();
  }

  #within(start) {
    const count = this.show?.count || 1;
    return ((start % count) + count) % count;
  }

  /** Return the place of the weight closest to a number. */
  #nearest(value) {
    const distances = this.data.weights.map((weight) => Math.abs(weight - value));
    return distances.indexOf(Math.min(...distances));
  }

  #choose(start) {
    this.#change({ start: this.#within(start) });
  }

  #toggle(edge) {
    const cut = new Set(this.settings.cut);
    if (!cut.delete(edge)) cut.add(edge);
    this.#change({ cut });
  }

  #point(event) {
    const box = this.ruler.getBoundingClientRect();
    const [thumb, least, greatest] = [18, Number(this.ruler.min), Number(this.ruler.max)];
    const share = (event.clientX - box.left - thumb / 2) / (box.width - thumb);
    this.#change({ weight: this.#nearest(least + share * (greatest - least)) });
  }

  #change(settings) {
    Object.assign(this.settings, settings);
    this.#apply();
    clearTimeout(this.remembering); // browsers refuse addresses that change too often
    this.remembering = setTimeout(() => this.#remember(), 150);
  }

  #remember() {
    const { weight, start, cut, picture } = this.settings;
    const parts = [];
    if (weight !== null) parts.push(`weight=${this.data.weights[weight]}`);
    if (this.show) parts.push(`start=${start + 1}`);
    if (cut.size) parts.push(`cut=${[...cut].sort((a, b) => a - b)}`);
    if (picture !== this.descent.last) parts.push(`generation=${this.data.pictures[picture].generation}`);
    try {
      history.replaceState(null, "", `#${parts.join("&")}`);
    } catch {
      // An address that cannot change, as of a page within a page: the page works all the same.
    }
  }

  /** Begin anew with the present settings. */
  #apply() {
    const { weight, start, cut, picture } = this.settings;
    const { network, generation } = this.data.pictures[picture];
    const value = weight === null ? null : this.data.weights[weight];
    this.descent.show(picture);
    Object.assign(document.body.dataset, { start: start + 1, cut: [...cut].join(), generation });
    if (value !== null) this.#measure(weight, value);
    if (!this.show) return;
    const graph = (this.graphs[picture] ??= new Graph(this.descent.drawing(picture), network, (edge) => this.#toggle(edge)));
    graph.mark(cut);
    this.graph = graph;
    const whole = picture === this.descent.last && !cut.size;
    this.show.prepare(network, { weight: value, place: weight, cut, start }, whole);
    document.getElementById("start").textContent = `${this.data.kind === "control" ? "start" : "picture"} ${start + 1} of ${this.show.count}`;
    const mend = document.getElementById("mend");
    mend.disabled = !cut.size;
    mend.textContent = cut.size ? `Mend all (${cut.size} cut)` : "Mend all";
    this.rest = 0;
    this.#draw();
  }

  #measure(place, value) {
    document.body.dataset.weight = value;
    this.ruler.value = value;
    document.getElementById("weight-shown").textContent = value;
    const [x, y] = this.marker.dataset.places.split(" ")[place].split(",");
    this.marker.setAttribute("transform", `translate(${x} 0)`);
    this.marker.querySelector("circle").setAttribute("cy", y);
  }

  #draw() {
    this.show.draw();
    const { weight } = this.settings;
    this.graph.show(this.show.values, weight === null ? null : this.data.weights[weight]);
  }

  #pause() {
    this.playing = false;
    cancelAnimationFrame(this.frame);
    document.getElementById("play").textContent = "Play";
  }

  #run() {
    this.playing = true;
    document.getElementById("play").textContent = "Pause";
    let before = performance.now();
    let due = 0;
    const frame = (now) => {
      const seconds = Math.min(0.1, Math.max(0, (now - before) / 1000));
      before = now;
      due += seconds * this.rate;
      const steps = Math.floor(due);
      due -= steps;
      if (steps > 0 && this.show.advance(steps)) {
        this.rest += seconds;
        if (this.rest > LivePage.REST) this.#choose(this.settings.start + 1);
      }
      if (steps > 0 && this.rest <= 2 * seconds) this.#draw();
      this.frame = requestAnimationFrame(frame);
    };
    this.frame = requestAnimationFrame(frame);
  }
}
/** Seconds that the end of an episode is looked at. */
LivePage.REST = 1.5;

new LivePage(JSON.parse(document.getElementById("data").textContent));
