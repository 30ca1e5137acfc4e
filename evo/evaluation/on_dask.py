"""A Dask cluster (https://distributed.dask.org), whose scheduler runs tasks again where a worker dies under them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

from evo.evaluation.cluster import Cluster

SECONDS = 30
"""To wait for the scheduler, and for a first worker."""


@final
class DaskCluster(Cluster):
    """Workers of a Dask cluster.

    Args:
        address: of the scheduler, such as "tcp://HOST:8786".

    Raises:
        RuntimeError: Dask's distributed is not installed, or there is no scheduler with workers.
    """

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ImportError as error:
            raise RuntimeError("backend: Dask is not installed; pip install 'evo-genomes[dask]'") from error
        try:
            client: Any = distributed.Client
            self._client = client(address, timeout=SECONDS, set_as_default=False)
            self._client.wait_for_workers(1, timeout=SECONDS)
        except (OSError, TimeoutError) as error:
            raise RuntimeError(
                f"backend: no Dask scheduler with workers at {address} ({error}); start them with `dask scheduler` "
                f"and, on each machine, `dask worker {address} --nworkers auto --nthreads 1`"
            ) from error

    def slots(self) -> int:
        """Return how many threads the workers have now."""
        return max(1, int(sum(self._client.nthreads().values())))

    def map(self, function: Callable[..., Any], shared: bytes, parts: list[bytes]) -> list[Any]:
        """Return `function(shared, part)` for each part, in order; see `Cluster.map`."""
        common = self._client.scatter(shared, broadcast=True, hash=False)
        futures = [self._client.submit(function, common, part, pure=False) for part in parts]
        try:
            return list(self._client.gather(futures))
        except Exception as error:
            raise RuntimeError(
                f"backend: Dask could not finish an evaluation ({type(error).__name__}: {error})"
            ) from error
        finally:
            self._client.cancel(futures)

    def close(self) -> None:
        """Leave the cluster."""
        self._client.close()
