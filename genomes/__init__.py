"""What evolves: one kind of genome per file or folder, with its own variation operators beside it."""

from evo.catalogue import Catalogue

CATALOGUE = Catalogue(
    "genome",
    {
        "fixed-network": "genomes.fixed_network:FixedNetwork",
        "vector": "genomes.vector:Vector",
        "perceptron": "genomes.perceptron:Perceptron",
        "topology": "genomes.topology:Topology",
        "initial-weights": "genomes.initial_weights:InitialWeights",
        "learner": "genomes.learner:Learner",
        "pathway": "genomes.pathway:Pathway",
        "grown-path": "genomes.grown_path:GrownPath",
        "plasticity": "genomes.plasticity:Plasticity",
        "recurrent-policy": "genomes.recurrent_policy:RecurrentPolicy",
        "learned-optimiser": "genomes.learned_optimiser:LearnedOptimiser",
        "evolved-search": "genomes.evolved_search:EvolvedSearch",
        "python-object": "genomes.python_object:PythonObject",
    },
)
