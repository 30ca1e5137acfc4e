"""What `make demo` does: evolve the swing-up population live, score the champion again, write its page."""

import argparse
from pathlib import Path

from wann_swingup import campaign

from evo.campaign import new_folder
from evo.rescore import rescore
from evo.show import show

if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--generations", type=int, default=128)
    options.add_argument("--workers", type=int, default=2)
    chosen = options.parse_args()
    demo = campaign.with_settings(seeds=(0,), generations=chosen.generations)
    folder = new_folder("demo")
    demo.run(workers=chosen.workers, out=folder, source=Path(__file__).with_name("wann_swingup.py"))
    summary, page = show(folder)
    print(summary)
    print("100 new episodes at each shared weight:")
    for weight in ("-2", "-1", "-0.5", "0.5", "1", "2"):
        score = rescore(folder, weight=weight, episodes=100)["objectives"]["reward"]
        print(f"  weight {weight:>4}: {score['mean']:6.1f} +- {score['sd']:.1f}")
    print(f"open {page}")
