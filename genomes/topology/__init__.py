"""Graphs that evolve: the genome, and its operators, one per file."""

from genomes.topology.topology import TEN_ACTIVATIONS as TEN_ACTIVATIONS
from genomes.topology.topology import Topology as Topology
