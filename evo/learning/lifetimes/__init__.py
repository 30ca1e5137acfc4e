"""What may happen between birth and score: one kind of lifetime per file, each for any algorithm around it."""

from evo.catalogue import Catalogue

CATALOGUE = Catalogue(
    "lifetime",
    {
        "gradient-steps": "evo.learning.lifetimes.gradient_steps:GradientSteps",
        "hill-climbing": "evo.learning.lifetimes.hill_climbing:HillClimbing",
        "comparison": "evo.learning.lifetimes.comparison:Comparison",
        "evolution-steps": "evo.learning.lifetimes.evolution_steps:EvolutionSteps",
        "hebbian": "evo.learning.lifetimes.hebbian:Hebbian",
        "recurrent-walks": "evo.learning.lifetimes.recurrent_walks:RecurrentWalks",
        "fixed-walks": "evo.learning.lifetimes.fixed_walks:FixedWalks",
        "climbing-walks": "evo.learning.lifetimes.climbing_walks:ClimbingWalks",
        "recurrent": "evo.learning.lifetimes.recurrent:Recurrent",
        "learned-optimiser": "evo.learning.lifetimes.learned_optimiser:Optimise",
    },
)
