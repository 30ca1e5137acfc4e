"""What evolves: one kind of genome per file or folder, with its own variation operators beside it."""

from evo.catalogue import Catalogue

CATALOGUE = Catalogue(
    "genome",
    {
        "fixed-network": "genomes.fixed_network:FixedNetwork",
        "vector": "genomes.vector:Vector",
        "perceptron": "genomes.perceptron:Perceptron",
        "topology": "genomes.topology:Topology",
        "learner": "genomes.learner:Learner",
        "python-object": "genomes.python_object:PythonObject",
    },
)
