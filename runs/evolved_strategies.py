"""Evolution strategies and genetic algorithms whose rules evolve, on functions of few coordinates (Lange et al. 2023).

    evo run runs/evolved_strategies.py
    python runs/strategy_tables.py runs/evolved_strategies

Three forms of rule, each from a rule of people, search six functions of Hansen et al. 2009, of 2 to 10 coordinates,
with 50 generations of 16 samples; the outer search is an evolution strategy of 32 mirrored samples. Some three minutes
of one core. The second command lets the centre that each run came to search five functions never seen in training, and
weights of networks, beside SNES, CMA-ES, a plain evolution strategy and random search at as many evaluations.
"""

from evo import Campaign
from evo.algorithms.evolution_strategy import EvolutionStrategy
from genomes.evolved_search import EvolvedSearch
from problems.meta.black_box import SearchFunctions


def variant(form, generations, rate):
    """Return a form's variant, whose outer rate ends at a tenth and which begins with the rule of people."""
    return {
        "genome": EvolvedSearch(form, initial_deviation=0.0),
        "algorithm": EvolutionStrategy(32, 0.2, rate, decay=0.1 ** (1 / generations)),
        "generations": generations,
    }


campaign = Campaign(
    SearchFunctions(),
    genome=EvolvedSearch(),
    algorithm=EvolutionStrategy(32, 0.2),
    generations=150,
    seeds=range(1),
    variants={"des": variant("des", 60, 0.1), "les": variant("les", 150, 0.05), "lga": variant("lga", 60, 0.1)},
    name="evolved_strategies",
)
