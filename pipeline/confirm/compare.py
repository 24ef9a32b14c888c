"""How much better is the winner than the baseline, and what is left of it when no seed helps to choose itself?"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.artifacts.summary import Confirmation, Estimate
from thalweg.config.experiment import Config
from thalweg.confirm.candidates import Candidate, rank_candidates
from thalweg.stats import intervals
from thalweg.training import inference
from thalweg.training.plan import TrainingData


def choose_leaving_seed_out(config: Config, order: Sequence[Candidate]) -> list[int]:
    """For each seed the place in `order` of the candidate that all other seeds, without it, would choose."""
    found = []
    for seed in range(config.confirm.seeds):
        others = [_drop_seed(one, seed) for one in order]
        best = rank_candidates(config, others)[0]
        found.append(next(place for place, one in enumerate(others) if one is best))
    return found


def _drop_seed(one: Candidate, seed: int) -> Candidate:
    validation = {name: np.delete(values, seed) for name, values in one.validation_scores.items()}
    return replace(one, states=one.states[:seed] + one.states[seed + 1 :], validation_scores=validation)


def compare_candidates(
    config: Config,
    ranked: Sequence[Candidate],
    baseline: Candidate,
    data: TrainingData,
    rows: NDArray[Any],
    groups: NDArray[np.str_],
) -> Confirmation:
    """The objective of the winner (first in `ranked`), the baseline and their difference on the judged rows."""
    name = config.study.objective
    block = intervals.assign_blocks(groups)
    weights = intervals.leave_one_out_weights(block)
    without = [
        np.array(
            [inference.score_predictions(one.plan, p, data, rows, weights)[name] for p in one.predictions], np.float64
        )
        for one in (*ranked, baseline)
    ]
    return build_confirmation(config, ranked, baseline, without, np.bincount(block), len(np.unique(groups)))


def build_confirmation(
    config: Config,
    ranked: Sequence[Candidate],
    baseline: Candidate,
    leave_out_metrics: Sequence[NDArray[Any]],
    block_sizes: NDArray[np.intp],
    group_count: int,
) -> Confirmation:
    """The same from what each of (*order, baseline) comes to without one block [seeds, blocks], of `block_sizes` examples.

    The winner was chosen by validation on the very seeds that it is judged on, and a seed's luck shows on both parts:
    its value flatters it. `corrected`, and its difference from the baseline, take at each seed the candidate that the
    other seeds would choose: what choosing so is worth on a fresh seed, without that luck. Their means are unbiased,
    but choices that hang on one seed make them vary more than seeds tell: so their intervals hold the winner's too.
    Among equals one is then said to beat the other in 3 to 5 % of studies; in 5.6 % where six candidates are judged by
    the very values that chose, as without a test part (tests/confirm/test_calibration.py).
    """
    name, bounds = config.study.objective, config.task.metric_bounds(config.study.objective)
    scores = [np.asarray(one.scores[name], np.float64) for one in (*ranked, baseline)]
    chosen = list(enumerate(choose_leaving_seed_out(config, ranked)))
    fair = np.array([scores[place][seed] for seed, place in chosen])
    fair_without = np.stack([leave_out_metrics[place][seed] for seed, place in chosen])
    values = {
        "winner": (scores[0], leave_out_metrics[0]),
        "baseline": (scores[-1], leave_out_metrics[-1]),
        "difference": (scores[0] - scores[-1], leave_out_metrics[0] - leave_out_metrics[-1]),
        "corrected": (fair, fair_without),
        "corrected_difference": (fair - scores[-1], fair_without - leave_out_metrics[-1]),
    }
    found = {who: intervals.two_way_interval(*of, block_sizes) for who, of in values.items()}
    found["corrected"] = found["corrected"].span_both(found["winner"])
    found["corrected_difference"] = found["corrected_difference"].span_both(found["difference"])
    found |= {who: found[who].clip_to_bounds(bounds) for who in ("winner", "baseline", "corrected")}
    return Confirmation(
        **{
            who: Estimate(one.mean, one.low, one.high, one.n, group_count, intervals.group_error(values[who][1]))
            for who, one in found.items()
        }
    )
