// Episodes of a control problem, to be watched: one goes step by step, and is also run through at once to its end.
"use strict";

class Episodes {
  /**
   * @param data `problem_starts`, states to start from, and `problem_recorded`, scores by weight and start.
   */
  constructor(data) {
    this.starts = data.problem_starts;
    this.recorded = data.problem_recorded;
    this.count = this.starts.length;
    this.stage = new Stage(document.getElementById("scene"));
  }

  /**
   * Start an episode.
   * @param network a champion file's.
   * @param settings `weight`, null for the network's own; `place`, the weight's number; `cut`, a Set; `start`, from 0.
   * @param whole whether it is the champion as it was recorded, without a cut.
   */
  prepare(network, settings, whole) {
    this.settings = settings;
    this.episode = new Episode(problem, new Network(network, activations), this.starts[settings.start]);
    this.drawn = problem.scene(this.episode.state).length > 0;
    this.#foresee(network);
    const recorded = whole ? this.recorded[settings.place ?? 0]?.[settings.start] : undefined;
    this.#say("total", this.total === null ? "…" : Episodes.number(this.total));
    this.#say("length", this.total === null ? "too long to foresee" : `after ${this.steps} of ${problem.steps} steps`);
    this.#say("recorded", Number.isFinite(recorded) ? Episodes.number(recorded) : "none");
    this.#say("kernel", whole ? "Python, float32, same start" : "of the champion only");
    this.episode.network.step(problem.observe(this.episode.state), settings.weight, settings.cut); // what it sees first
    const { values } = this.episode.network;
    this.shown = Float64Array.from(values);
    this.episode.restart();
  }

  /** Run a second episode to its end, for the score to come and the way it takes; long ones are not foreseen. */
  #foresee(network) {
    const { weight, cut, start } = this.settings;
    const ahead = new Episode(problem, new Network(network, activations), this.starts[start]);
    const most = Math.min(problem.steps, Math.ceil(Episodes.EFFORT / (network.edges.length + 40)));
    const every = Math.ceil(most / 1500);
    const scenes = [problem.scene(ahead.state)];
    while (!ahead.done && ahead.steps < most) {
      ahead.step(weight, cut);
      if (ahead.steps % every === 0) scenes.push(problem.scene(ahead.state));
    }
    this.total = ahead.done ? ahead.total : null;
    this.steps = ahead.steps;
    if (this.drawn) this.stage.prepare(scenes, every);
    this.stage.svg.toggleAttribute("hidden", !this.drawn);
  }

  /** Move on by some steps; return whether the episode is over. */
  advance(steps) {
    for (let step = 0; step < steps && !this.episode.done; step += 1) {
      this.episode.step(this.settings.weight, this.settings.cut);
      this.shown = this.episode.network.values;
    }
    return this.episode.done;
  }

  draw() {
    const { steps, total, state } = this.episode;
    if (this.drawn) this.stage.draw(problem.scene(state), steps);
    this.#say("score", Episodes.number(total));
    this.#say("clock", `step ${steps} of ${problem.steps}`);
    Object.assign(document.body.dataset, { score: total, steps, total: this.total ?? "" });
  }

  /** What nodes put out now. */
  get values() {
    return this.shown;
  }

  #say(id, text) {
    document.getElementById(id).textContent = text;
  }

  /** Return a score in digits whose number does not flicker. */
  static number(value) {
    return Math.abs(value) >= 1e6 ? value.toExponential(3) : value.toFixed(Math.abs(value) < 10 ? 3 : 1);
  }
}
/** How many connections' work one look ahead may take: about 20 milliseconds. */
Episodes.EFFORT = 2e6;
