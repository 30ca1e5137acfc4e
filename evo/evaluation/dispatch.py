"""Which runs go where: whole runs to worker processes, or one run after the other with all workers each."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import nullcontext
from pathlib import Path

from evo.evaluation import guard
from evo.evaluation.backends import LOCAL, connect
from evo.evaluation.cluster import Cluster
from evo.files import DiskError
from evo.function_problem import FunctionProblem
from evo.journal import JournalError
from evo.run import CampaignError, Run, execute


def execute_all(runs: list[Run], folder: Path, workers: int, device: str, engine: str, backend: str = LOCAL) -> None:
    """Execute runs, each in its own folder in the campaign's.

    Batch problems on the CPU: several runs at a time, one per worker process, one thread each. A user's function of
    one genome, or a GPU, or a single run: one run at a time, its evaluations shared among all workers. On a cluster:
    one run at a time, its evaluations shared among all nodes.

    Raises:
        CampaignError: some runs could not be finished; all others were.
    """
    failed: list[CampaignError] = []
    apart = workers > 1 and len(runs) > 1 and device == "cpu" and backend == LOCAL
    if not apart or any(isinstance(run.problem, FunctionProblem) for run in runs):
        with connect(backend) or nullcontext() as cluster:
            failed += [error for run in runs if (error := attempt(run, folder, workers, device, engine, cluster))]
    else:
        failed += _apart(runs, folder, workers, device, engine)
    if failed:
        raise CampaignError(f"{len(failed)} of {len(runs)} runs could not be finished. {failed[0]}")


def attempt(
    run: Run, folder: Path, workers: int, device: str, engine: str, cluster: Cluster | None = None
) -> CampaignError | None:
    """Execute a run; return what stopped it, if anything did, so that the others go on."""
    try:
        execute(run, run.folder(folder), workers, device, engine, cluster)
    except CampaignError as error:
        return CampaignError(f"{run.variant} seed {run.seed}: {error}")
    except (JournalError, DiskError):
        raise
    except OSError as error:
        if not str(error.filename or "").startswith(str(folder)):  # of the user's own code: where it is from matters
            return CampaignError(f"{run.variant} seed {run.seed}: {traceback.format_exc(limit=-8)}")
        return CampaignError(f"{run.variant} seed {run.seed}: {error}")
    except Exception:
        return CampaignError(f"{run.variant} seed {run.seed}: {traceback.format_exc(limit=-8)}")
    return None


def _apart(runs: list[Run], folder: Path, workers: int, device: str, engine: str) -> list[CampaignError]:
    import cloudpickle
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor

    try:
        done = Parallel(n_jobs=workers, return_as="generator_unordered", pre_dispatch="all", batch_size=1)(
            delayed(_attempt_in_worker)(os.getpid(), sys.path, cloudpickle.dumps((run, folder, 1, device, engine)))
            for run in runs
        )
        return [error for error in done if error]
    except BaseException:
        get_reusable_executor().shutdown(wait=True, kill_workers=True)
        raise


def _attempt_in_worker(parent: int, path: list[str], task: bytes) -> CampaignError | None:
    """Attempt a run that another process packed; modules are looked for where that process would."""
    import cloudpickle

    guard.end_with(parent)
    sys.path[:] = path
    return attempt(*cloudpickle.loads(task))
