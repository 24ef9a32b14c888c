"""The comparison of winner and baseline, and its correction for the choice of the winner."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.artifacts.summary import Confirmation, Estimate
from thalweg.config.experiment import Config
from thalweg.confirm.candidates import Candidate, rank_candidates
from thalweg.stats import intervals
from thalweg.stats.intervals import UNBOUNDED
from thalweg.training import inference
from thalweg.training.plan import TrainingData


def choose_leaving_seed_out(config: Config, order: Sequence[Candidate]) -> list[int]:
    """Return for each seed the index in `order` of the candidate that all other seeds would choose."""
    choices = []
    for seed in range(config.confirm.seeds):
        others = [_drop_seed(candidate, seed) for candidate in order]
        best = rank_candidates(config, others)[0]
        choices.append(next(index for index, candidate in enumerate(others) if candidate is best))
    return choices


def _drop_seed(candidate: Candidate, seed: int) -> Candidate:
    states = candidate.states[:seed] + candidate.states[seed + 1 :]
    scores = {name: np.delete(values, seed) for name, values in candidate.validation_scores.items()}
    return replace(candidate, states=states, validation_scores=scores)


def measure_without_blocks(
    config: Config, candidates: Sequence[Candidate], data: TrainingData, rows: NDArray[Any], block: NDArray[np.intp]
) -> list[NDArray[np.float64]]:
    """Return the objective of each candidate on the judged rows without each block of examples [seeds, blocks]."""
    name, weights = config.study.objective, intervals.leave_one_out_weights(block)
    return [
        np.array([inference.score_predictions(c.plan, p, data, rows, weights)[name] for p in c.predictions], np.float64)
        for c in candidates
    ]


def build_confirmation(
    config: Config,
    ranked: Sequence[Candidate],
    baseline: Candidate,
    leave_out_metrics: Sequence[NDArray[Any]],
    block_sizes: NDArray[np.intp],
    group_count: int,
) -> Confirmation:
    """Compare the winner (first in `ranked`) with the baseline by the objective on the judged rows.

    `leave_out_metrics` are the metrics without one block, each [seeds, blocks], of (*ranked, baseline).

    Blocks have `block_sizes` examples. The same seeds choose the winner on the validation set and judge it on the test
    set, and a seed's luck affects both, so its value tends to be too good.
    `corrected`, and its difference from the baseline, use at each seed the candidate that the other seeds would choose:
    the value of this choice on a fresh seed, without that luck. Their means are unbiased, but choices that depend on
    one seed make them vary more than the seeds show: so their intervals include the winner's. Among equals, one
    wrongly beats the other in 3 to 5 % of studies; in 5.6 % where six candidates are judged by the values that chose
    them, as without a test set (tests/confirm/test_calibration.py).
    """
    objective, bounds = config.study.objective, config.task.metric_bounds(config.study.objective)
    scores = [np.asarray(candidate.scores[objective], np.float64) for candidate in (*ranked, baseline)]
    choices = list(enumerate(choose_leaving_seed_out(config, ranked)))
    corrected = np.array([scores[index][seed] for seed, index in choices])
    corrected_left_out = np.stack([leave_out_metrics[index][seed] for seed, index in choices])
    values = {
        "winner": (scores[0], leave_out_metrics[0]),
        "baseline": (scores[-1], leave_out_metrics[-1]),
        "difference": (scores[0] - scores[-1], leave_out_metrics[0] - leave_out_metrics[-1]),
        "corrected": (corrected, corrected_left_out),
        "corrected_difference": (corrected - scores[-1], corrected_left_out - leave_out_metrics[-1]),
    }
    levels = ("winner", "baseline", "corrected")
    estimates = {
        name: intervals.two_way_interval(*metrics, block_sizes, bounds=bounds if name in levels else UNBOUNDED)
        for name, metrics in values.items()
    }
    estimates["corrected"] = estimates["corrected"].span_both(estimates["winner"])
    estimates["corrected_difference"] = estimates["corrected_difference"].span_both(estimates["difference"])
    return Confirmation(
        **{
            name: Estimate(e.mean, e.low, e.high, e.n, group_count, intervals.group_error(values[name][1], block_sizes))
            for name, e in estimates.items()
        }
    )
