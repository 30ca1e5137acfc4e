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
        "deap-loop": "evo.algorithms.deap_loop:DeapLoop",
        "cohort": "evo.algorithms.cohort:Cohort",
        "population-based-training": "evo.algorithms.population_based_training:PopulationBasedTraining",
    },
)
