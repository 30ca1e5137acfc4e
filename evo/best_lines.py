"""Which lines of a study are drawn where there are too many to be told apart: the best, in the order of the study."""

from __future__ import annotations

import math

import numpy as np

from evo.cohort_record import CohortRecord
from evo.interval import mean, quartiles
from evo.quantity import quantity
from evo.study_table import last_tenth, tenth


def best_lines(record: CohortRecord, most: int) -> tuple[CohortRecord, list[str]]:
    """Return the study with its best lines, at most so many, and a sentence about it where some are left out.

    The best are those with the best first objective over the last tenth of the generations: its mean over streams, its
    median over individuals. Settings of which learners failed come after all others, those with more failures later.
    """
    count = len(record.labels)
    if count <= most:
        return record, []
    chosen = record.only([int(place) + 1 for place in np.sort(_ranking(record)[:most])])
    by = quantity(record.objective).title.lower()
    return chosen, [
        f"{most} of {count} lines: the best by {by} over {last_tenth(record)}; evo figure --settings chooses others."
    ]


def _ranking(record: CohortRecord) -> np.ndarray:
    """Return the lines' places, the best first; of equals, the first first."""
    scores = tenth(record, "score", last=True)
    centre = quartiles(scores)[1] if record.evolving else mean(scores)
    worse = np.nan_to_num(-centre if record.maximize else centre, nan=math.inf)
    failed = np.zeros(len(centre)) if record.evolving else record.failed() / np.maximum(record.lived.sum(1), 1)
    return np.lexsort((worse, failed))
