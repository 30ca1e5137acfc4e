"""Networks and episodes in the page, against the same ones in Python."""

from pathlib import Path

import numpy as np
import pytest
import torch
from published_champion import published_champion

import evo.inspect
from evo.activations import FUNCTIONS, IDS
from evo.champion import networks_of
from evo.evaluation.episodes import play
from evo.inspect.javascript import activations_source, problem_source
from evo.networks import Execution
from evo.testing.genome_checks import grown
from genomes.topology import Topology
from problems.control.cartpole_swingup import CartPoleSwingUp

pytest_plugins = ["browser"]

NETWORK_JS = Path(evo.inspect.__file__).with_name("network.js").read_text(encoding="utf-8")
TOY_PROBLEM = """
const toy = {
  steps: 5,
  observe: (state) => state,
  advance: ([n, _, end], action) => [[n + 1, action[0], end], 10 * n, n + 1 >= end],
};
"""


@pytest.fixture
def javascript(chromium_page):
    """Evaluate a function of `argument` where networks, activations and the swing-up are known."""
    source = NETWORK_JS + activations_source() + problem_source(CartPoleSwingUp()) + TOY_PROBLEM
    chromium_page.write(f'<!doctype html><meta charset="utf-8"><script>{source}</script>')
    yield chromium_page.page.evaluate
    assert chromium_page.errors == []
    assert chromium_page.outside() == []


def description(activations, edges, inputs=1, outputs=1):
    return {
        "inputs": [f"input {n}" for n in range(inputs)],
        "outputs": [f"output {n}" for n in range(outputs)],
        "activations": activations,
        "edges": edges,
    }


class Reference:
    """The same network in numpy's double precision, straight from the definition, with many episodes at once."""

    def __init__(self, described, episodes):
        self.described = described
        self.values = np.zeros((len(described["activations"]), episodes))

    def step(self, inputs, weight=None, cut=()):
        """Return outputs `[episodes, outputs]` for inputs `[episodes, inputs]`."""
        previous, self.values = self.values, np.zeros_like(self.values)
        self.values[0] = 1.0
        for node, name in enumerate(self.described["activations"][1:], start=1):
            total = np.zeros(len(inputs)) if node > inputs.shape[1] else inputs[:, node - 1]
            for number, (source, target, own) in enumerate(self.described["edges"]):
                if target == node and number not in cut:
                    read = self.values if source < node else previous
                    total = total + (own if weight is None else weight) * read[source]
            self.values[node] = FUNCTIONS[IDS[name] - 1][1](torch.from_numpy(total))
        return self.values[-len(self.described["outputs"]) :].T


def evolved(recurrent, count=6):
    """Return descriptions of networks that mutated a few dozen times, with every activation."""
    genome = Topology(
        4,
        2,
        activations=tuple(IDS),
        changes=6,
        add_node_rate=0.3,
        weight_rate=0.2,
        input_activation_rate=0.1,
        output_activation_rate=0.1,
        recurrent=recurrent,
    )
    genome, rows = grown(genome, count, rounds=12)
    networks = genome.express(rows)
    return [description(**networks.describe(number), inputs=4, outputs=2) for number in range(count)]


def is_recurrent(described):
    return any(source >= target for source, target, _ in described["edges"])


PLAY_EPISODES = """
([described, episodes, weight, cut]) => {
  const network = new Network(described, activations);
  return episodes.map((inputs) => {
    network.reset();
    return inputs.map((one) => [network.step(one, weight, new Set(cut)), Array.from(network.values)]);
  });
}
"""


@pytest.mark.parametrize("recurrent", [False, True])
def test_evolved_networks_agree_with_numpy_step_by_step(recurrent, javascript):
    rng = np.random.default_rng(3)
    all_described = evolved(recurrent)
    assert any(map(is_recurrent, all_described)) == recurrent
    assert {name for described in all_described for name in described["activations"]} == set(IDS)
    for described in all_described:
        episodes = rng.normal(0, 1, (40, 5, 4))
        cut = rng.integers(len(described["edges"]), size=2).tolist()
        for weight, without in ((None, []), (None, cut), (-0.75, [])):
            answers = javascript(PLAY_EPISODES, [described, episodes.tolist(), weight, without])
            reference = Reference(described, len(episodes))
            for step in range(episodes.shape[1]):
                expected = reference.step(episodes[:, step], weight, without)
                outputs, values = (np.array([answer[step][part] for answer in answers]) for part in (0, 1))
                np.testing.assert_allclose(outputs, expected, rtol=1e-9, atol=1e-9)
                np.testing.assert_allclose(values, reference.values.T, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("weight", [None, 1.5])
@pytest.mark.parametrize("recurrent", [False, True])
def test_evolved_networks_agree_with_the_compiled_ones(recurrent, weight, javascript):
    cases = np.random.default_rng(4).uniform(-1, 1, (200, 4)).astype(np.float32)
    for described in evolved(recurrent):
        expected = networks_of(described).forward(torch.from_numpy(cases), weight)[0].numpy()
        answers = javascript(PLAY_EPISODES, [described, cases[:, None].tolist(), weight, []])
        outputs = [answer[0][0] for answer in answers]
        np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)


def test_a_node_that_reads_nothing_puts_out_its_activation_of_0(javascript):
    described = description(["linear", "linear", "cos", "sigmoid"], [[1, 2, 3.0]], outputs=2)
    [[[outputs, values]]] = javascript(PLAY_EPISODES, [described, [[[0.25]]], None, [0]])
    assert outputs == [1.0, 0.5]
    assert values == [1.0, 0.25, 1.0, 0.5]


def test_what_the_bias_is_said_to_do_plays_no_part(javascript):
    described = description(["inverse", "abs", "linear"], [[0, 2, 2.0], [1, 2, 1.0]])
    [[[outputs, values]]] = javascript(PLAY_EPISODES, [described, [[[-4.0]]], None, []])
    assert outputs == [6.0]
    assert values == [1.0, 4.0, 6.0]


def test_recurrent_edges_read_the_step_before_and_0_after_a_reset(javascript):
    counter = description(["linear"] * 3, [[1, 2, 1.0], [2, 2, 1.0]])
    first, again = javascript(PLAY_EPISODES, [counter, [[[1.0], [2.0], [3.0]], [[1.0]]], None, []])
    assert [outputs for outputs, _ in first] == [[1.0], [3.0], [6.0]]
    assert again[0][0] == [1.0]


def champion():
    networks = published_champion()
    names = CartPoleSwingUp()
    return {"inputs": list(names.inputs), "outputs": list(names.outputs), **networks.describe(0)}


def test_an_episode_of_the_swing_up_goes_as_in_python(javascript):
    start = [0.1, -0.2, 3.3, 0.15]
    moves = javascript(
        """([described, start]) => {
          const episode = new Episode(problem, new Network(described, activations), start);
          return Array.from({ length: 200 }, () => episode.step(1.5));
        }""",
        [champion(), start],
    )
    network, state = Reference(champion(), 1), tuple(start)
    for move in moves:
        action = tuple(network.step(np.array([CartPoleSwingUp.observe(state)]), 1.5)[0].tolist())
        state, reward, _ = CartPoleSwingUp.advance(state, action)
        ours = (*move["action"], *move["state"], move["reward"])
        # the last bits of a sum differ, and the swing-up makes much of them
        np.testing.assert_allclose(ours, (*action, *state, reward), rtol=1e-6, atol=1e-6)
        assert move["done"] is False


@pytest.mark.parametrize("weight", [-1.5, 1.0])
def test_whole_episodes_score_about_what_the_search_measured(weight, javascript):
    problem = CartPoleSwingUp()
    starts = problem.start(20, np.random.default_rng(5))
    scale = torch.full((20,), weight)
    rewards, lengths = play(
        problem,
        published_champion().with_unit_weights().on(Execution("torch")),
        torch.from_numpy(starts.T.astype(np.float32)),
        scale,
    )
    scores = javascript(
        """([described, starts, weight]) => {
          const network = new Network(described, activations);
          return starts.map((start) => {
            const episode = new Episode(problem, network, start);
            while (!episode.done) episode.step(weight);
            return [episode.total, episode.steps];
          });
        }""",
        [champion(), starts.tolist(), weight],
    )
    ours = np.array(scores)
    close = np.isclose(ours[:, 0], rewards[0].numpy(), rtol=0.02) & (ours[:, 1] == lengths[0].numpy())
    assert close.sum() >= 16, (ours, rewards, lengths)  # the others part in float32: the system is chaotic


def test_episodes_end_where_the_problem_says_or_at_the_limit(javascript):
    said, limit, again = javascript(
        """(described) => {
          const network = new Network(described, activations);
          const run = (episode) => {
            for (let n = 0; n < 50 && !episode.done; n += 1) episode.step();
            return [episode.total, episode.steps, episode.limit, episode.state];
          };
          const start = [0, 0, 3];
          const endless = { ...toy, advance: (state) => [state, 1, 0] };
          const episode = new Episode(toy, network, start);
          const first = run(episode);
          const second = run(new Episode(endless, network, start));
          episode.restart();
          return [first, second, [episode.total, episode.steps, episode.done,
            episode.state, Array.from(network.values)]];
        }""",
        description(["linear"] * 5, [[1, 4, 1.0], [4, 4, 1.0]], inputs=3),
    )
    assert said == [0 + 10 + 20, 3, 5, [3, 3, 3]]
    assert limit == [5, 5, 5, [0, 0, 3]]
    assert again == [0, 0, False, [0, 0, 3], [1, 0, 0, 0, 0]]
