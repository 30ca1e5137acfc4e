"""Where evaluations run: worker processes and threads of this machine, or a cluster, by the name of a backend."""

from __future__ import annotations

from evo.evaluation.cluster import Cluster

LOCAL = "loky"
FORMS = "'loky' (this machine), 'ray' (the cluster this machine belongs to), 'ray://HOST:PORT' or 'dask://HOST:PORT'"


def check_backend(backend: str) -> None:
    """Raise ValueError where there is no such backend."""
    kind, _, address = backend.partition("://")
    if not (backend in (LOCAL, "ray") or (kind in ("ray", "dask") and address)):
        raise ValueError(f"backend: expected {FORMS}, got {backend!r}")


def connect(backend: str) -> Cluster | None:
    """Return the cluster that a backend names; None for this machine.

    Raises:
        ValueError: there is no such backend.
        RuntimeError: what it needs is not installed, or there is no such cluster.
    """
    check_backend(backend)
    if backend == LOCAL:
        return None
    if backend.startswith("dask"):
        from evo.evaluation.on_dask import DaskCluster

        return DaskCluster(backend.replace("dask", "tcp", 1))
    from evo.evaluation.on_ray import RayCluster

    return RayCluster("auto" if backend == "ray" else backend)
