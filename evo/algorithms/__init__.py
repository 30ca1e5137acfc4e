"""Who breeds and who survives: one algorithm per file."""

from evo.catalogue import Catalogue

CATALOGUE = Catalogue(
    "algorithm",
    {
        "weight-agnostic-search": "evo.algorithms.weight_agnostic_search:WeightAgnosticSearch",
        "neat": "evo.algorithms.neat:Neat",
        "map-elites": "evo.algorithms.map_elites:MapElites",
        "mu-plus-lambda": "evo.algorithms.mu_plus_lambda:MuPlusLambda",
        "snes": "evo.algorithms.distribution:SNES",
        "xnes": "evo.algorithms.distribution:XNES",
        "pgpe": "evo.algorithms.distribution:PGPE",
        "cem": "evo.algorithms.distribution:CEM",
        "cmaes": "evo.algorithms.distribution:CMAES",
        "evolution-strategy": "evo.algorithms.evolution_strategy:EvolutionStrategy",
        "learned-evolution-strategy": "evo.algorithms.learned_evolution_strategy:LearnedEvolutionStrategy",
        "learned-genetic-algorithm": "evo.algorithms.learned_genetic_algorithm:LearnedGeneticAlgorithm",
        "deap-loop": "evo.algorithms.deap_loop:DeapLoop",
        "cohort": "evo.algorithms.cohort:Cohort",
        "meta-gradient": "evo.algorithms.meta_gradient:MetaGradient",
        "population-based-training": "evo.algorithms.population_based_training:PopulationBasedTraining",
        "binary-tournament": "evo.algorithms.binary_tournament:BinaryTournament",
        "group-tournament": "evo.algorithms.group_tournament:GroupTournament",
        "defending-champion": "evo.algorithms.defending_champion:DefendingChampion",
        "fixed-pathway": "evo.algorithms.fixed_pathway:FixedPathway",
        "fine-tuned-pathway": "evo.algorithms.fine_tuned_pathway:FineTunedPathway",
        "growth": "evo.algorithms.growth:Growth",
        "random-pathways": "evo.algorithms.random_pathways:RandomPathways",
    },
)
