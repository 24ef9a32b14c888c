"""Winner against baseline, and what is left of it when no seed helps to choose itself."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from numpy.typing import ArrayLike

from thalweg.artifacts.summary import Confirmation
from thalweg.config.experiment import Config
from thalweg.confirm import compare
from thalweg.confirm.candidates import Candidate, rank_candidates
from thalweg.engine.fit import LaneState
from thalweg.stats import intervals


def build_candidate(trial: int | None, validation: ArrayLike, test: ArrayLike, **more: Sequence[float]) -> Candidate:
    """A candidate with these values of the objective by seed, and other metrics on the validation set."""
    measured = {"mae": np.asarray(validation, float)} | {name: np.asarray(one, float) for name, one in more.items()}
    return Candidate(trial, {}, None, (), None, {"mae": np.asarray(test, float)}, measured)  # type: ignore[arg-type]


LUCKY = build_candidate(1, [0.1, 0.5, 0.5], [1.0, 2.0, 3.0])
STEADY = build_candidate(2, [0.4, 0.4, 0.4], [4.0, 5.0, 6.0])
BASELINE = build_candidate(None, [0.9, 0.9, 0.9], [7.0, 7.0, 7.0])


def repeat_for_blocks(test: ArrayLike, blocks: int = 3) -> np.ndarray:
    """Without any block of examples it is the same: they are all alike."""
    return np.repeat(np.asarray(test, float)[:, None], blocks, axis=1)


def build_confirmation(
    config: Config, order: Sequence[Candidate], baseline: Candidate = BASELINE, blocks: int = 3
) -> Confirmation:
    without = [repeat_for_blocks(candidate.scores["mae"], blocks) for candidate in (*order, baseline)]
    return compare.build_confirmation(config, order, baseline, without, np.ones(blocks, int), blocks)


def test_choice_excludes_judged_seed(config: Config) -> None:
    order = rank_candidates(config, [STEADY, LUCKY])
    assert [candidate.trial for candidate in order] == [1, 2]
    # without its first seed the lucky one is the worse, without another it still leads
    assert compare.choose_leaving_seed_out(config, order) == [1, 0, 0]


def test_correction_uses_other_seeds(config: Config) -> None:
    confirmation = build_confirmation(config, rank_candidates(config, [STEADY, LUCKY]))
    assert confirmation.winner.mean == 2.0
    assert confirmation.corrected
    assert confirmation.corrected_difference
    assert confirmation.corrected.mean == pytest.approx((4.0 + 2.0 + 3.0) / 3)
    assert confirmation.corrected_difference.mean == pytest.approx(3.0 - 7.0)
    plain, fair = confirmation.difference, confirmation.corrected_difference
    assert fair.low <= plain.low
    assert fair.high >= plain.high
    winner, corrected = confirmation.winner, confirmation.corrected
    assert (winner.low, winner.high) == (corrected.low, corrected.high)
    assert winner.low < winner.mean < corrected.mean < winner.high


def test_one_candidate_is_not_corrected(config: Config) -> None:
    confirmation = build_confirmation(config, [LUCKY])
    assert confirmation.corrected == confirmation.winner
    assert confirmation.corrected_difference == confirmation.difference


def test_choice_skips_diverged_and_infeasible(config: Config) -> None:
    limited = config.replace_values({"study.constraints": {"bias": {"high": 0.5}}})
    beyond = replace(LUCKY, validation_scores=LUCKY.validation_scores | {"bias": np.array([3.0, 0.1, 0.1])})
    within = replace(STEADY, validation_scores=STEADY.validation_scores | {"bias": np.zeros(3)})
    # its first seed alone breaks the limit: without it the trial may be chosen, and is not the best
    assert compare.choose_leaving_seed_out(limited, [within, beyond]) == [0, 0, 0]
    better = replace(beyond, validation_scores=beyond.validation_scores | {"mae": np.full(3, 0.1)})
    assert compare.choose_leaving_seed_out(limited, [within, better]) == [1, 0, 0]
    sound, burst = (cast(LaneState, SimpleNamespace(diverged_step=step)) for step in (-1, 7))
    wild = replace(LUCKY, states=((sound,), (burst,), (sound,)), validation_scores={"mae": np.full(3, 0.1)})
    steady = replace(STEADY, states=((sound,),) * 3)
    assert compare.choose_leaving_seed_out(config, [steady, wild]) == [0, 1, 0]


def test_only_levels_are_clipped(config: Config) -> None:
    near = build_candidate(1, [0.1, 0.1, 0.1], [0.1, 0.02, 0.3])
    confirmation = build_confirmation(config, [near], build_candidate(None, [1, 1, 1], [0.15, 0.1, 0.1]))
    assert confirmation.corrected
    assert confirmation.winner.low == confirmation.corrected.low == 0.0
    assert confirmation.difference.low < -0.1
    assert confirmation.winner.mean - confirmation.winner.low < confirmation.winner.high - confirmation.winner.mean


def test_group_error_is_separate_from_seed_error(config: Config) -> None:
    blocks = np.array([1.0, 2.0, 6.0])
    without = np.tile((blocks.sum() - blocks) / 2, (3, 1))
    level = build_candidate(1, [1, 1, 1], np.full(3, 3.0))
    confirmation = compare.build_confirmation(
        config, [level], BASELINE, [without, repeat_for_blocks(BASELINE.scores["mae"])], np.ones(3, int), 3
    )
    assert confirmation.winner.groups_error == pytest.approx(blocks.std(ddof=1) / np.sqrt(3))
    assert confirmation.winner.groups_dof == pytest.approx(2)
    assert confirmation.baseline.groups_error == 0.0
    assert confirmation.winner.groups == 3


def set_rate(candidate: Candidate, rate: float) -> Candidate:
    return replace(candidate, values={"optimizer.learning_rate": rate})


def test_runners_up_are_judged_together(config: Config) -> None:
    """Of three runners-up one is clear among the six pairs of four candidates; the others count three pairs."""
    seeds = np.array([0.0, 0.3, -0.2])
    values = [seeds, seeds[::-1] + 9.0, seeds[::-1] + 0.1, seeds[::-1] + 0.2]
    ranked = [set_rate(build_candidate(i, value, value), 0.01 * (i + 1)) for i, value in enumerate(values)]
    left_out, sizes = [repeat_for_blocks(value) for value in values], np.ones(3, int)
    found = compare.compare_runners_up(config, ranked, left_out, sizes, 3)
    assert [comparison.name for comparison in found] == ["runner-up 1", "runner-up 2", "runner-up 3"]
    for comparison, value, together in zip(found, values[1:], (6, 3, 3), strict=True):
        interval = intervals.two_way_interval(
            value - seeds, repeat_for_blocks(value - seeds), sizes, comparisons=together
        )
        assert comparison.difference.interval == interval
    assert found[0].difference.low > 0
    assert found[1].difference.low < 0


def test_runners_up_have_the_intervals_of_the_winner(config: Config) -> None:
    """A runner-up that equals the winner has its intervals, over seeds and groups; a diverged one has none."""
    score = np.array([0.4, 0.5, 0.3])
    alike = [set_rate(build_candidate(i, score, score), 0.01 * (i + 1)) for i in range(2)]
    lost = set_rate(build_candidate(2, score, [0.4, np.nan, 0.3]), 0.03)
    blocks = np.array([0.1, 0.2, 0.9])
    without = score[:, None] - 0.4 + (blocks.sum() - blocks) / 2
    left_out = [without, without, without, repeat_for_blocks(BASELINE.scores["mae"])]
    arguments = config, [*alike, lost], BASELINE, left_out, np.ones(3, int), 3
    confirmation, (found,) = compare.build_confirmation(*arguments), compare.estimate_runners_up(*arguments)
    assert found.name == "runner-up 1"
    assert found.value == confirmation.winner
    assert found.difference == confirmation.difference
    assert found.value.groups_error == pytest.approx(blocks.std(ddof=1) / np.sqrt(3))


def test_groups_count_for_runners_up(config: Config) -> None:
    """Steady over seeds, and better only in one of three groups: not clear."""
    pair = [set_rate(build_candidate(i, np.full(3, 0.5 + i), np.full(3, 1.0 + i)), 0.01 * (i + 1)) for i in range(2)]
    blocks = [np.array([1.0, 1.0, 1.0]), np.array([4.0, 1.0, 1.0])]
    left_out = [np.tile((block.sum() - block) / 2, (3, 1)) for block in blocks]
    (found,) = compare.compare_runners_up(config, pair, left_out, np.ones(3, int), 3)
    assert found.difference.mean == 1.0
    assert found.difference.low < 0 < found.difference.high
    assert found.difference.groups_error == pytest.approx(1.0)


def test_baseline_and_lost_candidates_are_no_rivals(config: Config) -> None:
    own = config.optimizer.learning_rate
    lost = build_candidate(4, [0.8, 0.8, 0.8], [1.0, np.nan, 1.0])
    ranked = [set_rate(LUCKY, own / 2), set_rate(STEADY, own), set_rate(lost, own / 4)]
    left_out = [repeat_for_blocks(candidate.scores["mae"]) for candidate in ranked]
    assert compare.compare_runners_up(config, ranked, left_out, np.ones(3, int), 3) == ()
    (found,) = compare.compare_runners_up(config, [ranked[0], BASELINE, ranked[0]], left_out, np.ones(3, int), 3)
    assert found.name == "runner-up 2"


def test_answer_is_paired_by_group(config: Config) -> None:
    """Winner and answer find the same groups difficult: what is left is the noise of seeds."""
    hard, seeds = np.array([1.0, 5.0, 9.0]), np.array([0.1, -0.1, 0.0])
    blocks = (hard.sum() - hard) / 2
    winner = build_candidate(1, np.full(3, 0.5), 5.0 + seeds)
    left_out = [blocks + seeds[:, None], repeat_for_blocks(BASELINE.scores["mae"])]
    answers = {"the median count": (6.0, blocks + 1.0)}
    (found,) = compare.compare_answers(config, [winner], answers, left_out, np.ones(3, int), 3)
    alone = intervals.t_interval(1.0 - seeds)
    assert alone is not None
    assert (found.difference.mean, found.difference.low) == pytest.approx((alone.mean, alone.low))
    assert found.difference.groups_error == pytest.approx(0.0, abs=1e-9)
    assert found.name == "the median count"


def test_choice_is_corrected_beside_answers(config: Config) -> None:
    ranked = rank_candidates(config, [STEADY, LUCKY])
    left_out = [repeat_for_blocks(candidate.scores["mae"]) for candidate in (*ranked, BASELINE)]
    (found,) = compare.compare_answers(config, ranked, {"none": (7.0, np.full(3, 7.0))}, left_out, np.ones(3, int), 3)
    assert found.difference.mean == pytest.approx(7.0 - 3.0)
