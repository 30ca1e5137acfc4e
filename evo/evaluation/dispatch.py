"""Which runs go where: whole runs to worker processes, or one run after the other with all workers each."""

from __future__ import annotations

from pathlib import Path

from evo.function_problem import FunctionProblem
from evo.run import Run, execute


def execute_all(runs: list[Run], folder: Path, workers: int, device: str, engine: str) -> None:
    """Execute runs, each in its own folder in the campaign's.

    Batch problems on the CPU: several runs at a time, one per worker process, one thread each. A user's function of
    one genome, or a GPU, or a single run: one run at a time, its evaluations shared among all workers.
    """
    apart = workers > 1 and len(runs) > 1 and device == "cpu"
    if not apart or any(isinstance(run.problem, FunctionProblem) for run in runs):
        for run in runs:
            execute(run, run.folder(folder), workers, device, engine)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor

    try:
        done = Parallel(n_jobs=workers, return_as="generator_unordered", pre_dispatch="all", batch_size=1)(
            delayed(execute)(run, run.folder(folder), 1, device, engine) for run in runs
        )
        for _ in done:
            pass
    except BaseException:
        get_reusable_executor().shutdown(wait=True, kill_workers=True)
        raise
