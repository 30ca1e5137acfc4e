"""A Ray cluster (https://docs.ray.io): tasks of one CPU each, which Ray runs again where a node dies under them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, final

from evo.evaluation.cluster import Cluster


@final
class RayCluster(Cluster):
    """Nodes of a Ray cluster.

    Args:
        address: as `ray.init` takes it: "auto" for the cluster that RAY_ADDRESS names, or this machine belongs to;
            "ray://HOST:PORT" for one elsewhere.

    Raises:
        RuntimeError: Ray is not installed, or there is no such cluster.
    """

    def __init__(self, address: str) -> None:
        try:
            import ray
        except ImportError as error:
            raise RuntimeError("backend: Ray is not installed; pip install 'evo-genomes[ray]'") from error
        self._ray = ray
        self._mine = not ray.is_initialized()
        if self._mine:
            try:
                ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
            except (ConnectionError, OSError, RuntimeError, ValueError) as error:
                raise RuntimeError(
                    f"backend: no Ray cluster at {address!r} ({error}); start one with `ray start --head`, "
                    f"and on other machines `ray start --address=HOST:6379`"
                ) from error

    def slots(self) -> int:
        """Return how many CPUs the cluster has now."""
        resources: Callable[[], dict[str, float]] = self._ray.cluster_resources
        return max(1, int(resources().get("CPU", 0)))

    def map(self, function: Callable[..., Any], shared: bytes, parts: list[bytes]) -> list[Any]:
        """Return `function(shared, part)` for each part, in order; see `Cluster.map`."""
        remote = self._ray.remote(num_cpus=1, max_retries=-1)(function)
        common = self._ray.put(shared)
        references = [remote.remote(common, part) for part in parts]
        try:
            return list(self._ray.get(references))
        except BaseException as error:
            for reference in references:
                self._ray.cancel(reference)
            if isinstance(error, self._ray.exceptions.RayError):
                raise RuntimeError(f"backend: Ray could not finish an evaluation: {error}") from error
            raise

    def close(self) -> None:
        """Leave the cluster, unless somebody else in this process had joined it."""
        if self._mine:
            self._ray.shutdown()
