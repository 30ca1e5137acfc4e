"""NEAT with neat-python on problems of this project: what `neat_comparison.py` compares with."""

import copy
import itertools
import random
import statistics
import tempfile
import time

import neat

CONFIG = """
[NEAT]
fitness_criterion = max
fitness_threshold = 0
no_fitness_termination = True
reset_on_extinction = True
pop_size = {population}
[DefaultGenome]
num_inputs = {inputs}
num_outputs = {outputs}
num_hidden = 0
feed_forward = True
initial_connection = full_direct
conn_add_prob = {connect}
conn_delete_prob = {disconnect}
node_add_prob = {split}
node_delete_prob = {merge}
compatibility_disjoint_coefficient = 1.0
compatibility_weight_coefficient = 0.4
activation_default = {activation}
activation_options = {activation}
activation_mutate_rate = 0
aggregation_default = sum
aggregation_options = sum
aggregation_mutate_rate = 0
enabled_default = True
enabled_mutate_rate = 0.01
single_structural_mutation = False
structural_mutation_surer = default
""" + "".join(
    f"{name}_init_type = {kind}\n{name}_init_mean = {mean}\n{name}_init_stdev = {1 - fixed}\n{name}_max_value = 30\n"
    f"{name}_min_value = -30\n{name}_mutate_power = 0.5\n{name}_mutate_rate = {0 if fixed else 0.72}\n"
    f"{name}_replace_rate = {0 if fixed else 0.08}\n"
    for name, kind, mean, fixed in (
        ("weight", "uniform", 0, 0), ("bias", "uniform", 0, 0),
        ("response", "gaussian", 1, 1), ("time_constant", "gaussian", 1, 1),
    )
) + """
[DefaultSpeciesSet]
compatibility_threshold = 3.0
[DefaultStagnation]
species_fitness_func = max
max_stagnation = 15
species_elitism = 2
[DefaultReproduction]
elitism = 1
survival_threshold = 0.2
min_species_size = 1
"""  # fmt: skip


def configuration(inputs, outputs, activation, population, connect=0.05, disconnect=0.0, split=0.03, merge=0.0):
    """Return neat-python's settings; `connect`, `disconnect`, `split`, `merge` are rates of changes of structure."""
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
        file.write(CONFIG.format(**locals()))
        file.flush()
        kinds = (neat.DefaultGenome, neat.DefaultReproduction, neat.DefaultSpeciesSet, neat.DefaultStagnation)
        return neat.Config(*kinds, file.name)


def search_there(problem, activation, population, generations, seed, score, after, **rates):
    """Run; `score(network, generation)` is a genome's fitness, and `after(generation, fitness)` true ends the run."""
    config = configuration(len(problem.inputs), len(problem.outputs), activation, population, **rates)
    there = neat.Population(config, seed=seed)
    generation = itertools.count()

    def evaluate(genomes, config):
        number = next(generation)
        for _, genome in genomes:
            genome.fitness = score(neat.nn.FeedForwardNetwork.create(genome, config), number)
        there.ended = after(number, [genome.fitness for _, genome in genomes])

    for _ in range(generations):
        there.run(evaluate, 1)
        if there.ended:
            return


def play(problem, network, starts):
    """Return the total reward of episodes from each start, one step of one episode at a time."""
    total = 0.0
    for start in starts.tolist():
        state = tuple(start)
        for _ in range(problem.steps):
            state, reward, ended = problem.advance(state, network.activate(problem.observe(state)))
            total += reward
            if ended:
                break
    return total


def variation_there(options):
    """Return the seconds of a generation without evaluation, of copies of 50 genomes of as many connections."""
    config = configuration(8, 2, "tanh", 50)
    population = neat.Population(config, seed=0)
    config.genome_config.node_add_prob = config.genome_config.conn_add_prob = 0.5
    grown = list(population.population.values())
    while statistics.mean(genome.size()[1] for genome in grown) < options.connections:
        for genome in grown:
            genome.mutate(config.genome_config)
    config.genome_config.node_add_prob, config.genome_config.conn_add_prob = 0.03, 0.05
    config.pop_size = options.genomes
    population.reproduction.genome_indexer = itertools.count(100)
    genomes = [copy.deepcopy(grown[number % 50]) for number in range(options.genomes)]
    for genome in genomes:
        genome.key = next(population.reproduction.genome_indexer)
    everyone = {genome.key: genome for genome in genomes}
    population.species.species = {}
    population.species.speciate(config, everyone, 0)
    times = []
    for generation in range(3):
        for genome in everyone.values():
            genome.fitness = random.random()
        began = time.perf_counter()
        everyone = population.reproduction.reproduce(config, population.species, config.pop_size, generation)
        population.species.speciate(config, everyone, generation + 1)
        times.append(time.perf_counter() - began)
    return statistics.median(times)
