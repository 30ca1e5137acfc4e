"""Which modules of a large shared network an individual runs through and trains: the genome, and its operators."""

from genomes.pathway.pathway import Pathway as Pathway
