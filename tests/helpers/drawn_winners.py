"""Pairs of studies with a known truth: what `confirm` would record of their winners."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.helpers.small_study import CONFIG
from thalweg.artifacts.judged import JudgedWinner, build_seed_values
from thalweg.confirm.candidates import Candidate, rank_candidates
from thalweg.confirm.compare import correct_winner
from thalweg.stats import intervals

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """How pairs of studies vary: standard deviations of the effects on the error of an example.

    `groups` and `seeds`: on both studies alike; the others on a candidate of a study alone. `gap`: how much worse all
    candidates of B are. `luck`: the correlation of a seed's effect between the validation set, which chooses, and the
    test set.
    """

    gap: float = 0.0
    groups: float = 0.3
    own_groups: float = 0.1
    seeds: float = 0.1
    own_seeds: float = 0.1
    examples: float = 0.5
    luck: float = 0.7
    candidates: int = 3
    seed_count: int = 8
    group_count: int = 20
    are_paired: bool = True


def draw_winners(of: Pairs, draw: np.random.Generator) -> tuple[JudgedWinner, JudgedWinner]:
    """Draw both winners on the same examples, in groups of three to twelve."""
    group = np.repeat(np.arange(of.group_count), draw.integers(3, 13, of.group_count))
    noise = draw.standard_normal(of.group_count)[group], draw.standard_normal(len(group))
    difficulty = of.groups * noise[0] + of.examples * noise[1]
    common = of.seeds * draw.standard_normal((2, of.seed_count))
    studies = []
    for index, gap in enumerate((0.0, of.gap)):
        shared = common[0 if of.are_paired else index]
        seeds = tuple(range(of.seed_count)) if of.are_paired else tuple(range(100 * index, 100 * index + of.seed_count))
        studies.append(_draw_winner(of, draw, 5.0 + gap + difficulty, shared, group, seeds))
    return studies[0], studies[1]


def _draw_winner(
    of: Pairs,
    draw: np.random.Generator,
    truth: Floats,
    shared: Floats,
    group: NDArray[np.int64],
    seeds: tuple[int, ...],
) -> JudgedWinner:
    shape = (of.candidates, of.seed_count)
    luck = of.own_seeds * draw.standard_normal((2, *shape))
    on_test = shared + of.luck * luck[0] + np.sqrt(1 - of.luck**2) * luck[1]
    errors = (
        truth
        + on_test[:, :, None]
        + of.own_groups * draw.standard_normal((of.candidates, 1, of.group_count))[:, :, group]
        + of.examples * draw.standard_normal((*shape, len(group)))
    )
    names = np.array([f"{number:03}" for number in group])
    block = intervals.assign_blocks(names)
    weights = intervals.leave_one_out_weights(block)
    left_out = errors @ (weights / weights.sum(1, keepdims=True)).T
    config = CONFIG.replace_values({"confirm.seeds": of.seed_count})
    drawn = [_build_candidate(i, shared + luck[0][i], errors[i].mean(1)) for i in range(of.candidates)]
    order = rank_candidates(config, drawn)
    ordered = [left_out[int(candidate.trial or 0)] for candidate in order]
    return JudgedWinner(
        task={"kind": "count"},
        objective="mae",
        sign=1,
        part="test",
        sha256="0" * 64,
        examples=len(group),
        groups=of.group_count,
        block_sizes=tuple(np.bincount(block).tolist()),
        seeds=seeds,
        values=build_seed_values(order[0].scores["mae"], ordered[0]),
        corrected=build_seed_values(*correct_winner(config, order, ordered)),
    )


def _build_candidate(trial: int, validation: Floats, scores: Floats) -> Candidate:
    nothing: Any = None
    return Candidate(trial, {}, nothing, (), nothing, {"mae": scores}, {"mae": validation})
