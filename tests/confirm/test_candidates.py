import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from tests.helpers.training_calls import watch_training
from tests.helpers.trees import are_equal_trees
from thalweg.artifacts.summary import Confirmation, Estimate
from thalweg.config.experiment import Config
from thalweg.confirm import candidates as confirm
from thalweg.confirm import compare
from thalweg.confirm.candidates import Candidate
from thalweg.core import rng
from thalweg.core.types import DataSpec
from thalweg.data.examples import Examples
from thalweg.data.splits import Splits
from thalweg.engine import fleet
from thalweg.engine.devices import copy_to_devices
from thalweg.engine.program import Program
from thalweg.system.files import UserError
from thalweg.training import inference
from thalweg.training.plan import TrainingData

LEARNS, IDLES, BURSTS = ({"optimizer.learning_rate": rate} for rate in (0.02, 1e-9, 1e30))
WANTED = [(None, {}), (4, IDLES), (2, LEARNS), (7, BURSTS)]


@pytest.fixture(scope="module")
def misleading_data(
    config: Config, splits: Splits, compose_data: Callable[[Config, Splits], TrainingData]
) -> TrainingData:
    """Data whose test set is as an untrained network says, so that what never learned is the best there."""
    data = compose_data(config, splits)
    count = data.labels["count"].copy()
    count[splits.test] = 0.7
    result: TrainingData = copy_to_devices(replace(data, labels={"count": count}))
    return result


@pytest.fixture(scope="module")
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("confirm")


@pytest.fixture(scope="module")
def candidates(
    config: Config, data_spec: DataSpec, splits: Splits, misleading_data: TrainingData, state_folder: Path
) -> list[Candidate]:
    return confirm.train_candidates(config, data_spec, splits, misleading_data, WANTED, state_folder)


def test_seeds_are_fresh_and_shared(config: Config, candidates: list[Candidate]) -> None:
    seeds = confirm.list_confirm_seeds(config)
    assert len(set(seeds)) == 3
    assert not set(seeds) & {rng.derive_seed(config.seed, "study", i) for i in range(100)}
    for candidate in candidates:
        assert [int(folds[0].seed) for folds in candidate.states] == seeds


def test_candidates_keep_their_order(candidates: list[Candidate]) -> None:
    assert [(candidate.trial, candidate.values) for candidate in candidates] == WANTED


def test_ranking_ignores_test_split(config: Config, candidates: list[Candidate]) -> None:
    _, idle, learned, _ = candidates
    assert idle.scores["mae"].mean() < learned.scores["mae"].mean()
    assert idle.validation_scores["mae"].mean() > learned.validation_scores["mae"].mean()
    assert [candidate.trial for candidate in confirm.rank_candidates(config, candidates[1:])] == [2, 4, 7]


def test_diverged_ranks_last(config: Config, candidates: list[Candidate]) -> None:
    _, idle, learned, burst = candidates
    assert np.isnan(burst.validation_scores["mae"]).all()
    twin, first = replace(learned, trial=1), replace(idle, validation_scores={"mae": np.array([0.1, np.nan, 0.1])})
    order = confirm.rank_candidates(config, [burst, first, learned, twin])
    assert [candidate.trial for candidate in order] == [1, 2, 4, 7]


def test_ranking_reverses_if_maximized(config: Config, candidates: list[Candidate]) -> None:
    exact = config.replace_values({"study.objective": "exact"})
    trained = [replace(candidates[1], trial=n, validation_scores={"exact": np.full(3, n / 10)}) for n in (1, 3, 2)]
    assert [candidate.trial for candidate in confirm.rank_candidates(exact, trained)] == [3, 2, 1]


def test_scores_are_of_kept_weights(candidates: list[Candidate], misleading_data: TrainingData, splits: Splits) -> None:
    truth = np.asarray(misleading_data.labels["count"])
    for candidate in candidates[:3]:
        assert candidate.predictions.shape == (3, len(splits.test))
        for seed, folds in enumerate(candidate.states):
            again = inference.predict_examples(candidate.plan, [folds[0].best_weights], misleading_data, splits.test)[0]
            np.testing.assert_array_equal(candidate.predictions[seed], again)
            wanted = np.abs(again - truth[splits.test]).mean()
            assert candidate.scores["mae"][seed] == pytest.approx(wanted, rel=1e-5)
            assert candidate.validation_scores["mae"][seed] == pytest.approx(float(folds[0].best_value), rel=1e-6)


def test_candidates_are_reproducible(
    config: Config,
    data_spec: DataSpec,
    splits: Splits,
    misleading_data: TrainingData,
    candidates: list[Candidate],
    tmp_path: Path,
) -> None:
    again = confirm.train_candidates(config, data_spec, splits, misleading_data, WANTED[::-1], tmp_path)[::-1]
    for one, other in zip(candidates, again, strict=True):
        assert are_equal_trees(one.states, other.states)
        assert are_equal_trees(one.predictions, other.predictions)


def test_killed_confirmation_resumes(
    config: Config,
    data_spec: DataSpec,
    splits: Splits,
    misleading_data: TrainingData,
    candidates: list[Candidate],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fleet, "SNAPSHOT_SECONDS", 0.0)
    monkeypatch.setattr(fleet, "SEGMENT_SECONDS", 1e-9)
    calls, steps = itertools.count(1), []

    def dies_in_the_third(_: Program, each: list[int]) -> None:
        if next(calls) == 3:
            raise KeyboardInterrupt
        steps.append(sum(each))

    watch_training(monkeypatch, dies_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        confirm.train_candidates(config, data_spec, splits, misleading_data, WANTED, tmp_path)
    again = confirm.train_candidates(config, data_spec, splits, misleading_data, WANTED, tmp_path)
    assert all(are_equal_trees(one.states, other.states) for one, other in zip(again, candidates, strict=True))
    done = sum(int(state.step) for candidate in candidates for folds in candidate.states for state in folds)
    assert sum(steps) == done
    confirm.train_candidates(config, data_spec, splits, misleading_data, WANTED, tmp_path)
    assert sum(steps) == done


def test_equal_baseline_trains_once(
    config: Config,
    data_spec: DataSpec,
    splits: Splits,
    misleading_data: TrainingData,
    candidates: list[Candidate],
    tmp_path: Path,
) -> None:
    values = {"optimizer.learning_rate": 0.01, "optimizer.momentum": 0.5}
    baseline, twin = confirm.train_candidates(
        config, data_spec, splits, misleading_data, [(None, {}), (0, values)], tmp_path
    )
    assert (twin.trial, twin.values) == (0, values)
    assert all(a is b for a, b in zip(baseline.states[0], twin.states[0], strict=True))
    assert are_equal_trees(baseline.states, candidates[0].states)


def test_difference_is_winner_minus_baseline(
    config: Config, candidates: list[Candidate], misleading_data: TrainingData, splits: Splits
) -> None:
    baseline, idle, *_ = candidates
    block = np.arange(len(splits.test)) % 4

    def compare_with_baseline(candidate: Candidate) -> Confirmation:
        pair = [candidate, baseline]
        left_out = compare.measure_without_blocks(config, pair, misleading_data, splits.test, block)
        return compare.build_confirmation(config, [candidate], baseline, left_out, np.bincount(block), 4)

    confirmation = compare_with_baseline(idle)
    assert confirmation.winner.mean == pytest.approx(idle.scores["mae"].mean())
    difference = idle.scores["mae"].mean() - baseline.scores["mae"].mean()
    assert confirmation.difference.mean == pytest.approx(difference)
    for estimate in vars(confirmation).values():
        assert estimate.low <= estimate.mean <= estimate.high
        assert (estimate.seeds, estimate.groups) == (3, 4)
    alone = compare_with_baseline(baseline)
    nothing = Estimate(mean=0, low=0, high=0, seeds=3, groups=4, groups_error=0, groups_dof=alone.winner.groups_dof)
    assert alone.difference == alone.corrected_difference == nothing


def test_validation_judges_without_test_split(
    config: Config,
    data_spec: DataSpec,
    splits: Splits,
    compose_data: Callable[[Config, Splits], TrainingData],
    tmp_path: Path,
) -> None:
    untested = Splits(splits.train, splits.validation, splits.test[:0])
    data = copy_to_devices(compose_data(config, untested))
    np.testing.assert_array_equal(confirm.select_judged_rows(untested), splits.validation[0])
    (candidate,) = confirm.train_candidates(config, data_spec, untested, data, [(2, LEARNS)], tmp_path)
    np.testing.assert_allclose(candidate.scores["mae"], candidate.validation_scores["mae"], rtol=1e-5)


@pytest.mark.parametrize("tested", [True, False])
def test_folds_average_on_test_not_on_validation(
    tested: bool,
    config: Config,
    data_spec: DataSpec,
    folded_splits: Splits,
    compose_data: Callable[[Config, Splits], TrainingData],
    tmp_path: Path,
) -> None:
    parts = (
        folded_splits if tested else Splits(folded_splits.train, folded_splits.validation[::-1], folded_splits.test[:0])
    )
    data = copy_to_devices(compose_data(config, parts))
    (candidate,) = confirm.train_candidates(config, data_spec, parts, data, [(2, LEARNS)], tmp_path)
    rows = confirm.select_judged_rows(parts)
    for seed, folds in enumerate(candidate.states):
        assert [int(state.fold) for state in folds] == [0, 1, 2]
        each = inference.predict_examples(candidate.plan, [state.best_weights for state in folds], data, rows)
        if tested:
            np.testing.assert_allclose(candidate.predictions[seed], each.mean(0), rtol=1e-6)
        else:
            fold_of_row = [next(k for k in range(3) if row in parts.validation[k]) for row in rows]
            np.testing.assert_allclose(candidate.predictions[seed], each[fold_of_row, np.arange(len(rows))], rtol=1e-5)
        sizes = [len(fold) for fold in parts.validation]
        mean = np.average([float(state.best_value) for state in folds], weights=sizes)
        assert candidate.validation_scores["mae"][seed] == pytest.approx(mean, rel=1e-6)


def test_winner_seeds_exclude_constant_networks(config: Config, candidates: list[Candidate]) -> None:
    learned, burst = candidates[2:]
    values = np.append(np.nan, learned.validation_scores["mae"])
    mixed = replace(learned, states=(*burst.states[:1], *learned.states), validation_scores={"mae": values})
    assert confirm.rank_winner_seeds(config, mixed) == [
        1 + int(i) for i in np.argsort(learned.validation_scores["mae"])
    ]
    assert len(confirm.rank_winner_seeds(config, burst)) == 3


def test_winner_seeds_rank_by_mean_of_folds(
    config: Config,
    data_spec: DataSpec,
    folded_splits: Splits,
    compose_data: Callable[[Config, Splits], TrainingData],
    tmp_path: Path,
) -> None:
    data = copy_to_devices(compose_data(config, folded_splits))
    (candidate,) = confirm.train_candidates(config, data_spec, folded_splits, data, [(2, LEARNS)], tmp_path)
    assert confirm.rank_winner_seeds(config, candidate) == np.argsort(candidate.validation_scores["mae"]).tolist()
    worse = (
        tuple(replace(state, diverged_step=jnp.int32(4)) for state in candidate.states[0][:1]) + candidate.states[0][1:]
    )
    assert 0 not in confirm.rank_winner_seeds(config, replace(candidate, states=(worse, *candidate.states[1:])))


def test_infeasible_ranks_last(config: Config, candidates: list[Candidate]) -> None:
    limited = config.replace_values({"study.constraints": {"bias": {"low": -0.5, "high": 0.5}}})
    learned = candidates[2]
    metrics = [(0.1, 0.9), (0.2, -0.6), (0.3, 0.4)]
    variants = [
        replace(learned, trial=n, validation_scores={"mae": np.full(3, mae), "bias": np.full(3, bias)})
        for n, (mae, bias) in enumerate(metrics)
    ]
    assert [candidate.trial for candidate in confirm.rank_candidates(limited, variants)] == [2, 1, 0]
    assert [candidate.trial for candidate in confirm.rank_candidates(config, variants)] == [0, 1, 2]


@pytest.fixture(scope="module")
def data_of_all_examples(
    config: Config, examples: Examples, compose_data: Callable[[Config, Splits], TrainingData]
) -> TrainingData:
    rows = np.arange(len(examples), dtype=np.int32)
    result: TrainingData = copy_to_devices(compose_data(config, Splits((rows,), (rows,), rows[:0])))
    return result


def test_refit_trains_on_all_examples_to_last_epoch(
    config: Config, data_spec: DataSpec, data_of_all_examples: TrainingData, tmp_path: Path
) -> None:
    plan, states = confirm.refit_winner(config.replace_values(LEARNS), data_spec, data_of_all_examples, 2, tmp_path)
    assert plan.steps_per_epoch == 48 // 8
    assert [int(state.step) for state in states] == [3 * 6, 3 * 6]
    assert [int(state.seed) for state in states] == [rng.derive_seed(config.seed, "refit", i) for i in range(2)]
    assert all(
        are_equal_trees(state.best_weights, (state.learner.parameters, state.learner.model_state)) for state in states
    )
    assert are_equal_trees(
        states, confirm.refit_winner(config.replace_values(LEARNS), data_spec, data_of_all_examples, 2, tmp_path)[1]
    )


def test_refit_can_train_longer(
    config: Config, data_spec: DataSpec, data_of_all_examples: TrainingData, tmp_path: Path
) -> None:
    longer = config.replace_values(LEARNS | {"confirm.refit_epochs": 5})
    plan, states = confirm.refit_winner(longer, data_spec, data_of_all_examples, 1, tmp_path)
    assert (plan.epochs, int(states[0].step)) == (5, 5 * 6)
    assert confirm.apply_trial_values(longer, LEARNS).training.epochs == 3
    as_long = confirm.refit_winner(
        config.replace_values(LEARNS | {"training.epochs": 5}), data_spec, data_of_all_examples, 1, tmp_path
    )[1]
    assert are_equal_trees(states, as_long)


def test_diverged_refit_is_an_error(
    config: Config, data_spec: DataSpec, data_of_all_examples: TrainingData, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"confirm.refit: the winner diverged"):
        confirm.refit_winner(config.replace_values(BURSTS), data_spec, data_of_all_examples, 1, tmp_path)
