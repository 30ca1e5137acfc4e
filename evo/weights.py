"""What `evo weights` does: measure a champion with random, shared and tuned weights, print it, keep the tuned ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from evo.champion import Champion, ChampionError, load
from evo.files import write_text
from evo.four_settings import SETTINGS, Effort, FourSettings, Score, four_settings, measured_on
from evo.learning.lifetime import Lifetime
from evo.problem import Problem
from evo.recorded import champion_path
from evo.rescore import check_interface, problem_of
from evo.settings import describe
from evo.versions import versions

if TYPE_CHECKING:
    from problems.published_scores import Published
    from problems.weight_report import WeightReport

VOTE = "vote of all weights"
FOOTNOTES = {
    "cartpole-swingup-v1": "  the paper's 515 +- 58 is no deviation of trials: the published code gives 526 +- 252"
}
"""What is to be said of the paper's numbers, by problem."""


@dataclass(frozen=True)
class Weighed:
    """A champion, and what was measured of it.

    Attributes:
        champion: as its file has it.
        problem: what it was measured on.
        settings: the four settings.
        report: of a classifier, what each weight knows on the test split; else None.
        own: the same for the shared weights that it was evolved with; None where there are none.
    """

    champion: Champion
    problem: Problem
    settings: FourSettings
    report: WeightReport | None = None
    own: WeightReport | None = None

    def save_champion(self, path: Path) -> None:
        """Write a champion file whose network has the tuned weights, beside the problem they were measured on."""
        from genomes.fixed_network import FixedNetwork

        tuned = self.settings.champion
        genome = FixedNetwork.from_network(tuned.network)
        replace(
            self.champion,
            genome=describe(genome),
            problem=describe(measured_on(self.problem)),
            algorithm={"name": tuned.method, "settings": {"started_from": self.champion.algorithm["name"]}},
            genes={"edge_weight": [weight for _, _, weight in genome.edges]},
            fitness={self.settings.objective: tuned.scores[SETTINGS[3]].mean},
            network={**tuned.network, "edges": [list(edge) for edge in genome.edges]},
            trials={},
            lineage={},
            versions=versions(),
        ).save(path)

    def save_figure(self, path: Path) -> None:
        """Write the accuracy per class and shared weight as an SVG document.

        Raises:
            ChampionError: it is no classifier.
        """
        from problems.weight_report import report_svg

        if self.report is None:
            raise _no_classes(self.problem)
        write_text(path, report_svg(self.report))


def _no_classes(problem: Problem) -> ChampionError:
    return ChampionError(f"--figure is of classifiers, and {problem.name} has no classes")


def check_outputs(path: Path, problem: str | None, figure: Path | None, save: Path | None) -> None:
    """Refuse what cannot be written in the end, before anything is measured.

    Args:
        path, problem: as for `weights`.
        figure, save: where the figure and the champion file are to be written; None where they are not.

    Raises:
        ChampionError: a figure of what is no classifier, a folder that does not exist, or a file that is a folder.
    """
    from problems.classification import Classification

    for option, file in (("--figure", figure), ("--save", save)):
        if file is not None and file.is_dir():
            raise ChampionError(f"{option}: {file} is a folder; name a file in it")
        if file is not None and not file.parent.is_dir():
            raise ChampionError(f"{option}: there is no folder {file.parent} to write {file.name} to; make it first")
    if figure is not None:
        _, chosen = _subject(path, problem)
        if not isinstance(chosen, Classification):
            raise _no_classes(chosen)


def _subject(path: Path, problem: str | None) -> tuple[Champion, Problem]:
    """Return a champion, and the problem to measure it on; of a lifetime, the problem inside."""
    file = champion_path(path)
    champion = load(file)
    chosen = problem_of(champion, file, problem, {})
    return champion, chosen.problem if isinstance(chosen, Lifetime) else chosen


def weights(
    path: Path,
    problem: str | None = None,
    trials: int = 100,
    *,
    seed: int,
    threads: int = 1,
    effort: dict[str, int] | None = None,
) -> Weighed:
    """Measure a champion in the four settings, and a classifier at each of a series of weights.

    Args:
        path: a champion file, or a folder that has one.
        problem: the name of a problem; None for the champion's own, with its settings.
        trials: per setting.
        seed: the root of all draws.
        threads: how many share a population.
        effort: fields of `Effort` that are to differ.

    Raises:
        ChampionError: the file cannot be read, or it is no network, or one that does not fit the problem.
    """
    from problems.classification import Classification
    from problems.weight_report import weight_report

    champion, chosen = _subject(path, problem)
    networks = champion.networks()
    check_interface(chosen, networks)
    torch_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two on the small tensors of gradient descent took four times the processor time
    try:
        settings = four_settings(
            champion.network or {}, chosen, trials, seed=seed, threads=threads, effort=Effort(**(effort or {}))
        )
    finally:
        torch.set_num_threads(torch_threads)
    if not isinstance(chosen, Classification):
        return Weighed(champion, chosen, settings)
    own = weight_report(networks, chosen, chosen.shared_weights) if chosen.shared_weights else None
    return Weighed(champion, chosen, settings, weight_report(networks, chosen), own)


def weights_json(weighed: Weighed) -> dict[str, Any]:
    """Return all that was measured as plain JSON data."""
    reports = {"series": weighed.report, "own_weights": weighed.own}
    return {
        **asdict(weighed.settings),
        **{name: _report_json(report) for name, report in reports.items() if report is not None},
    }


def _report_json(report: WeightReport) -> dict[str, Any]:
    by_class = [[None if value != value else value for value in row] for row in report.by_class.tolist()]  # NaN
    return {**asdict(report), "accuracy": report.accuracy.tolist(), "by_class": by_class}


def weights_text(weighed: Weighed) -> str:
    """Return the tables that `evo weights` prints."""
    from problems.published_scores import CHAMPION, FIXED

    settings = weighed.settings
    name = settings.problem
    columns = [
        [f"champion ({len(settings.champion.network['edges'])} connections)", *_scores(settings.champion.scores)],
        _published("paper's", CHAMPION.get(name, {})),
        [f"layered ({len(settings.perceptron.network['edges'])} connections)", *_scores(settings.perceptron.scores)],
        _published("paper's", FIXED.get(name, {})),
    ]
    rows = ["", *SETTINGS]
    lines = [f"{name}: {settings.objective}, mean +- standard deviation of {_trials(settings)} trials"]
    lines += _table([rows, *(column for column in columns if any(column[1:]))])
    if name in FOOTNOTES:
        lines.append(FOOTNOTES[name])
    for title, network in (("champion", settings.champion), ("layered", settings.perceptron)):
        tuned = ", ".join(f"{method} {_score(score)}" for method, score in network.methods.items())
        lines.append(
            f"{title}: best shared weight {network.shared_weight:g}; tuned by {tuned}; taken: {network.method}"
        )
    return "\n".join([*lines, *_classes(weighed)])


def _trials(settings: FourSettings) -> int:
    return max(score.n + score.failed for score in settings.champion.scores.values())


def _scores(scores: dict[str, Score]) -> list[str]:
    return [_score(scores[setting]) for setting in SETTINGS]


def _score(score: Score) -> str:
    text = f"{score.mean:.4g}" if score.n == 1 else f"{score.mean:.4g} +- {score.sd:.3g}"
    return f"{text} ({score.n} of {score.n + score.failed})" if score.failed else text


def _published(title: str, numbers: dict[str, Published]) -> list[str]:
    texts = []
    for setting in SETTINGS:
        mean, sd = numbers.get(setting, (None, None))
        texts.append("" if mean is None else f"{mean:.4g}" if sd is None else f"{mean:.4g} +- {sd:.3g}")
    return [title, *texts]


def _table(columns: list[list[str]]) -> list[str]:
    wide = [max(len(text) for text in column) for column in columns]
    return [
        "  " + "  ".join(text.ljust(width) for text, width in zip(row, wide, strict=True)).rstrip()
        for row in zip(*columns, strict=True)
    ]


def _classes(weighed: Weighed) -> list[str]:
    """Return what there is to say of a classifier's weights."""
    from problems.published_scores import CHAMPION

    report = weighed.report
    if report is None:
        return []
    lines = [f"accuracy on {report.cases} cases ({report.split}) per shared weight:"]
    pairs = [f"{weight:5g} {value:.3f}" for weight, value in zip(report.weights, report.accuracy, strict=True)]
    lines += ["  " + "   ".join(pairs[first : first + 8]) for first in range(0, len(pairs), 8)]
    for title, one in (("these weights", report), ("the weights evolved with", weighed.own)):
        if one is not None:
            lines.append(
                f"{title} together ({len(one.weights)}): majority vote {one.vote:.3f}, mean probability "
                f"{one.mean_probability:.3f}; on average {one.accuracy.mean():.3f} +- {one.accuracy.std():.3f}"
            )
    published = CHAMPION.get(weighed.problem.name, {}).get(VOTE)
    return lines if published is None else [*lines, f"the paper's ensemble: {published[0]:.3f}"]
