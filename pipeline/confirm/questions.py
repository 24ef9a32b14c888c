"""What the study asks about: the best trial of each level of a scientific parameter, compared on fresh seeds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thalweg.artifacts.summary import FailedLevel, LevelDifference, Question
from thalweg.config.experiment import Config
from thalweg.config.levels import group_by_level
from thalweg.confirm.candidates import Candidate
from thalweg.confirm.compare import build_estimate
from thalweg.stats import intervals


def compare_levels(
    config: Config,
    ranked: Sequence[Candidate],
    leave_out_metrics: Sequence[NDArray[np.float64]],
    block_sizes: NDArray[np.intp],
    group_count: int,
) -> tuple[Question, ...]:
    """Compare the levels of each scientific parameter by the candidates that were retrained for them.

    A level is represented by its best candidate on the validation set; `leave_out_metrics` as in
    `thalweg.confirm.compare.build_confirmation`. The intervals of all differences between levels hold together. Those
    for equivalence need no such correction: levels are alike only if all are (Berger 1982, intersection-union tests).
    Levels without a candidate are left out. One whose best has no value on a seed is only named.
    """
    objective = config.study.objective
    indices = {candidate.trial: index for index, candidate in enumerate(ranked) if candidate.trial is not None}
    scores = [candidate.scores[objective] for candidate in ranked]
    questions = []
    for name, levels in group_by_level(config, {t: ranked[index].values for t, index in indices.items()}).items():
        best = {level: indices[trials[0]] for level, trials in levels.items() if trials}
        finite = {level: index for level, index in best.items() if np.isfinite(scores[index]).all()}
        if len(best) < 2:
            continue
        failed = tuple(FailedLevel(level, _read_trial(ranked[i])) for level, i in best.items() if level not in finite)
        leader = min(finite, key=lambda level: finite[level], default=None)
        if leader is None:
            questions.append(Question(name, None, None, (), failed))
            continue
        first = finite.pop(leader)
        others = []
        for level, index in finite.items():
            by_seed, left_out = scores[index] - scores[first], leave_out_metrics[index] - leave_out_metrics[first]
            found = intervals.two_way_interval(by_seed, left_out, block_sizes, family=1 + len(finite))
            estimate = build_estimate(found, left_out, block_sizes, group_count)
            narrow = intervals.compute_equivalence_interval(by_seed, left_out, block_sizes)
            others.append(LevelDifference(level, _read_trial(ranked[index]), estimate, narrow.low, narrow.high))
        questions.append(Question(name, leader, _read_trial(ranked[first]), tuple(others), failed))
    return tuple(questions)


def _read_trial(candidate: Candidate) -> int:
    assert candidate.trial is not None
    return candidate.trial
