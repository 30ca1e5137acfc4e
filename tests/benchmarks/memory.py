"""Whether memory stays flat: resident memory of a small campaign after 1,000 generations and after 10,000.

    python tests/benchmarks/memory.py [--generations 10000]

Each algorithm in a process of its own, in a run of 16 individuals whose journal is written through to the disk. Prints
resident memory on the way, and how much more there is at the end than after 1,000 generations. Asserts nothing.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

CAMPAIGN = """
import sys
from pathlib import Path
import torch
from evo import Campaign, fitness
from evo.algorithms.distribution import SNES
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.algorithms.neat import Neat
from evo.run import _Execution
from genomes.topology import Topology
from genomes.vector import Vector
from problems.xor import Xor

@fitness(maximize="score", batch=True)
def sphere(rows):
    return -rows.square().sum(1)

name, generations, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
problem = Xor() if name == "NEAT" else sphere
still = {"add_node_rate": 0.0, "add_connection_rate": 0.0}  # networks that grow would take more memory
genome = Topology.neat(problem, **still) if name == "NEAT" else Vector(8)
algorithm = {"NEAT": Neat(population=16), "SNES": SNES(population=16)}.get(name, MuPlusLambda(population=16))
report = _Execution._report

def watched(self, outcomes):
    report(self, outcomes)
    done = self.search.generation + 1
    if done in (1, 100, 1000) or done % 2000 == 0:
        print(done, int(Path("/proc/self/statm").read_text().split()[1]) * 4 / 1024, flush=True)

_Execution._report = watched
Campaign(problem, genome, algorithm, generations=generations).run(out=folder / "run", quiet=True)
"""


def main():
    """Print a line per algorithm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generations", type=int, default=10_000)
    parser.add_argument("--algorithms", nargs="+", default=["MuPlusLambda", "SNES", "NEAT"])
    asked = parser.parse_args()
    for name in asked.algorithms:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", CAMPAIGN, name, str(asked.generations), folder]
            done = subprocess.run(command, text=True, capture_output=True, check=False)
            size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        if done.returncode:
            sys.exit(done.stderr)
        seen = {int(generation): float(memory) for generation, memory in map(str.split, done.stdout.splitlines())}
        print(f"{name}: MiB by generation: " + ", ".join(f"{at}: {memory:.1f}" for at, memory in seen.items()))
        if {1000, asked.generations} <= seen.keys():
            more = 100 * (seen[asked.generations] / seen[1000] - 1)
            print(f"  {more:+.2f} % from generation 1,000 to {asked.generations}; {size / 2**20:.1f} MiB on the disk")


if __name__ == "__main__":
    main()
