"""The versions of everything that can move a result."""

from __future__ import annotations

import platform
from importlib import metadata

PACKAGES = ("evo-genomes", "torch", "numpy", "numba", "deap", "evotorch", "moocore", "gymnasium", "scikit-learn")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that computations go through."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
