// A champion's network, step by step, and episodes of a problem that it controls; both in double precision.
"use strict";

class Network {
  /**
   * @param description a champion file's `network`: inputs, outputs, activations, edges as [source, target, weight].
   * @param activations functions by name.
   */
  constructor(description, activations) {
    this.inputs = description.inputs.length;
    this.outputs = description.outputs.length;
    this.functions = description.activations.map((name) => activations[name]);
    this.edges = this.functions.map(() => []); // of each node, those that lead into it
    description.edges.forEach(([source, target, weight], number) => {
      this.edges[target].push({ source, weight, number });
    });
    /** What each node puts out now: bias, inputs, hidden nodes, outputs. */
    this.values = new Float64Array(this.functions.length);
    this.reset();
  }

  /** Put the network to rest: recurrent edges read 0 at the next step. */
  reset() {
    this.values.fill(0);
    this.values[0] = 1;
  }

  /**
   * Return the outputs for these inputs.
   * @param weight one weight for all edges, or null for their own.
   * @param cut the numbers of edges that carry nothing, a Set, or null.
   */
  step(inputs, weight = null, cut = null) {
    const values = this.values;
    for (let node = 1; node <= this.inputs; node += 1) {
      values[node] = this.functions[node](inputs[node - 1]);
    }
    for (let node = 1 + this.inputs; node < values.length; node += 1) {
      let total = 0;
      for (const edge of this.edges[node]) {
        // A later node, or this one, still has its value of the previous step: that is what a recurrent edge reads.
        if (!cut?.has(edge.number)) total += (weight === null ? edge.weight : 1) * values[edge.source];
      }
      values[node] = this.functions[node](weight === null ? total : weight * total);
    }
    return Array.from(values.subarray(values.length - this.outputs));
  }
}

class Episode {
  /**
   * @param problem `observe`, `advance` and `steps`, the most that an episode lasts.
   * @param network its controller.
   * @param start the state that the episode starts from.
   */
  constructor(problem, network, start) {
    this.problem = problem;
    this.network = network;
    this.start = start;
    this.limit = problem.steps;
    this.restart();
  }

  /** Go back to the start, with the network at rest. */
  restart() {
    this.network.reset();
    this.state = [...this.start];
    this.total = 0;
    this.steps = 0;
    this.done = false;
  }

  /** Move one step on, and return the new state, the step's reward, the action, and whether the episode is over. */
  step(weight = null, cut = null) {
    const action = this.network.step(this.problem.observe(this.state), weight, cut);
    const [state, reward, ended] = this.problem.advance(this.state, action);
    this.state = state;
    this.total += reward;
    this.steps += 1;
    this.done = Boolean(ended) || this.steps >= this.limit;
    return { state, reward, done: this.done, action };
  }
}
