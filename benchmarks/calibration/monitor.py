"""Measure how often the monitor's verdicts are right: small models at eleven rates over five decades.

The truth is counterfactual: the same run at three and ten times its rate, a third and a tenth of it, and twice as long,
each on fresh examples. `python -m benchmarks.calibration.monitor FOLDER` keeps the curves in FOLDER, so a change of
rules is measured again in seconds. The rules were tuned with seeds 0 to 11 on all models but one. The report is on
others.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from benchmarks.calibration.curves import ALL_LENGTHS, LENGTHS, SCHEDULES, Floats, ModelCurves, load_curves
from benchmarks.calibration.small_models import MODELS, Model
from benchmarks.calibration.table import bound_share, format_share
from benchmarks.runs import render_table
from thalweg.stats.monitor import diagnose_curves
from thalweg.stats.run_curves import count_tail, smooth_curve

Truth = Literal["right", "longer helps", "overfits", "too low", "too high"]
TRUTHS: tuple[Truth, ...] = ("right", "longer helps", "overfits", "too low", "too high")
REPORT_SEEDS = (12, 13, 14, 15)
LEFT_OUT = "few"
"""The model on which no rule was tuned."""
MISSED, GAINED = 0.1, 0.05
"""A rate is wrong that misses this share of what can be gained, if another within a decade gains that share more."""


class Run(NamedTuple):
    """A run: its place in the grid, its truth, and the monitor's verdict."""

    model: str
    schedule: str
    truth: Truth
    kind: str


class End(NamedTuple):
    """How a run ends on fresh examples: its best loss, its last, and whether training loss fell after the best."""

    best: float
    last: float
    fell: bool


def measure_end(curves: Floats) -> End:
    """Measure a run's end from its curves [epochs, CURVES]; infinite losses where it diverged."""
    train, val, test = curves[:, 0], curves[:, 2], curves[:, 5]
    if not (np.abs(np.stack([train, val, test])) < 1e30).all():
        return End(np.inf, np.inf, fell=False)
    smooth, tail = smooth_curve(test), count_tail(len(test))
    best = int(smooth.argmin())
    fell = train[-tail:].mean() < train[max(best - 1, 0) : best + 2].mean()
    return End(float(smooth[best]), float(test[-tail:].mean()), bool(fell))


def find_truth(ends: Sequence[End], rate: int, longer: End, start: float) -> Truth:
    """Find the truth of the run at number `rate` of a row of rates; `longer` is the same run, twice as long."""
    end, lowest = ends[rate], min(end.best for end in ends)
    gain = start - lowest
    above, below = ends[rate + 1 : rate + 3], ends[rate - 2 : rate]
    up, down = min(end.best for end in above), min(end.best for end in below)
    overfits = end.fell and end.last - end.best >= GAINED * gain
    misses = end.best - lowest >= MISSED * gain
    if not np.isfinite(end.best) or (end.last > start + MISSED * gain and not overfits):
        return "too high"
    if misses and end.best - down >= GAINED * gain and down <= up:
        return "too high"
    calmer = end.last - min(end.last for end in below)
    if not overfits and min(end.last - end.best, calmer) >= MISSED * gain:
        return "too high"
    # a run that hardly began gains little by ten times its rate, but more than it had
    if misses and end.best - up >= min(GAINED * gain, max(start - end.best, 1e-9)):
        return "too low"
    if overfits:
        return "overfits"
    return "longer helps" if end.best - longer.best >= GAINED * gain else "right"


def judge_model(model: Model, data: ModelCurves) -> Iterator[Run]:
    """Judge a model's runs at the middle eleven rates."""
    direction = "max" if model.has_classes else "min"
    for seed, schedule in np.ndindex(data.curves.shape[:2]):
        rows = {
            length: [measure_end(curves[:length]) for curves in data.curves[seed, schedule, number]]
            for number, length in enumerate(ALL_LENGTHS)
        }
        for length in LENGTHS:
            for rate in range(2, data.curves.shape[3] - 2):
                place = seed, schedule, ALL_LENGTHS.index(length), rate
                train, spread, val, metric, rates, _ = data.curves[place][:length].T
                step = int(data.diverged_step[place])
                verdict = diagnose_curves(
                    np.arange(1, length + 1),
                    train,
                    val,
                    metric,
                    direction,
                    rates,
                    diverged_step=step if step >= 0 else None,
                    train_spread=spread,
                    first_loss=float(data.first_loss[place]),
                )
                truth = find_truth(rows[length], rate, rows[2 * length][rate], float(data.start[seed]))
                yield Run(model.name, SCHEDULES[schedule], truth, verdict.kind)


KINDS = (
    "diverged",
    "overfitting",
    "rate too high",
    "rate too low",
    "improving",
    "came to rest with its rate",
    "converged",
)
CLAIMS: tuple[tuple[str, tuple[Truth, ...], tuple[str, ...], float], ...] = (
    ("converged or improving of a rate too high", ("too high",), ("converged", "improving"), 0.10),
    ("converged or improving of a rate too low", ("too low",), ("converged", "improving"), 0.25),
    ("diverged or too high of a good run", ("right", "longer helps"), ("diverged", "rate too high"), 0.02),
)


def measure_runs(folder: Path, seeds: Sequence[int] = REPORT_SEEDS) -> list[Run]:
    """Judge the runs of all models; train those whose curves the folder lacks."""
    return [run for model in MODELS for run in judge_model(model, load_curves(folder, model, seeds))]


def count_verdicts(runs: Sequence[Run]) -> dict[str, dict[str, int]]:
    """Count the verdicts by truth and kind."""
    return {truth: dict(Counter(run.kind for run in runs if run.truth == truth)) for truth in TRUTHS}


def build_tables(counts: Mapping[str, Mapping[str, int]]) -> str:
    """Build the table of verdicts by truth, and the table of claims with goals and exact 95 % bounds, in Markdown."""
    shares = []
    for truth, found in counts.items():
        total = sum(found.values())
        shares.append([truth, str(total), *(f"{100 * found.get(kind, 0) / max(total, 1):.1f}" for kind in KINDS)])
    claims = []
    for name, truths, kinds, goal in CLAIMS:
        total = sum(sum(counts[truth].values()) for truth in truths)
        if not total:
            continue
        said = sum(counts[truth].get(kind, 0) for truth in truths for kind in kinds)
        is_met = bound_share(said, total)[0] <= goal
        claims.append([name, str(total), format_share(said, total), f"{100 * goal:.0f}", "yes" if is_met else "no"])
    return "\n\n".join(
        [
            render_table(["truth", "runs", *(f"{kind} [%]" for kind in KINDS)], shares),
            render_table(["verdict", "runs", "share [%]", "goal [%]", "met"], claims),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where curves are kept, and read if they are there")
    parser.add_argument("--seeds", type=int, nargs="+", default=REPORT_SEEDS)
    parser.add_argument("--by", choices=("model", "schedule"), help="tables for each of these, too")
    arguments = parser.parse_args()
    runs = measure_runs(arguments.folder, arguments.seeds)
    print(build_tables(count_verdicts(runs)))
    print(f"\nThe model left out of tuning, {LEFT_OUT}:\n")
    print(build_tables(count_verdicts([run for run in runs if run.model == LEFT_OUT])))
    for name in dict.fromkeys(getattr(run, arguments.by) for run in runs) if arguments.by else ():
        selected = [run for run in runs if getattr(run, arguments.by) == name]
        print(f"\n{name}\n\n{build_tables(count_verdicts(selected))}")


if __name__ == "__main__":
    main()
