"""Many lanes through one program: each has the same bits as alone, whatever stands beside it."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from tests.helpers.networks import Shaky
from tests.helpers.small_lanes import HYPERS, PLAN, SEEDS, SPEC, N, draw_training_data, train_lanes
from tests.helpers.trees import are_equal_trees
from thalweg.core.network import Network
from thalweg.engine import population
from thalweg.engine.fit import LaneState
from thalweg.engine.program import Program
from thalweg.system import timing
from thalweg.training import inference
from thalweg.training.plan import TrainingData


def test_one_program_for_all_numbers(end_states: tuple[list[LaneState], int]) -> None:
    # an accelerator's calibration tries a narrower one, too
    assert end_states[1] == (1 if jax.default_backend() == "cpu" else 2)
    finals = [state.learner.parameters["last"]["kernel"][...] for lane, state in enumerate(end_states[0]) if lane != 2]
    assert all(np.isfinite(final).all() for final in finals)
    assert len({final.tobytes() for final in finals}) == len(finals)


def test_start_is_scaled_by_the_trial(start_states: list[LaneState]) -> None:
    """Paired trials share what is drawn; each scales it by its own numbers, also the weights to keep."""
    scaled = population.init_lane(PLAN, replace(HYPERS[0], last_gain=np.float32(0.3)), SEEDS[0], 0)
    kernel = start_states[0].learner.parameters["last"]["kernel"][...]
    for weights in (scaled.learner.parameters, scaled.best_weights[0]):
        np.testing.assert_array_equal(weights["last"]["kernel"][...], kernel * np.float32(0.3))


def test_lone_lane_has_same_bits(
    end_states: tuple[list[LaneState], int], training_data: TrainingData, start_states: list[LaneState]
) -> None:
    before = len(timing.COMPILE_SECONDS)
    for lane in (0, 4, 6):
        assert are_equal_trees(
            train_lanes(PLAN, [HYPERS[lane]], [start_states[lane]], training_data)[0], end_states[0][lane]
        )
    assert len(timing.COMPILE_SECONDS) == before


def test_rounded_lanes_keep_whole_states(
    end_states: tuple[list[LaneState], int], training_data: TrainingData, start_states: list[LaneState]
) -> None:
    """In `bfloat16` weights, optimizer and best weights have 32 bits, and a lane its bits whatever stands beside it."""
    plan = replace(PLAN, network=replace(PLAN.network, precision="bfloat16"))
    after = train_lanes(plan, HYPERS, start_states, training_data)
    for state, start in zip(after, start_states, strict=True):
        dtypes = [[leaf.dtype for leaf in jax.tree.leaves(tree)] for tree in (state, start)]
        assert dtypes[0] == dtypes[1]
    assert not are_equal_trees(after[4].learner.parameters, end_states[0][4].learner.parameters)
    assert are_equal_trees(train_lanes(plan, HYPERS[4:5], start_states[4:5], training_data)[0], after[4])


def test_least_recently_used_program_is_compiled_again(
    training_data: TrainingData, start_states: list[LaneState], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process has 65,530 memory maps, and a segmentation fault ends it when its programs need more."""
    monkeypatch.setattr(population, "_compiled", {})
    monkeypatch.setattr(population, "MAX_PROGRAMS", 2)
    plans = [replace(PLAN, patience=patience) for patience in (1, 2, 3)]

    def count_compilations(plan: Program) -> int:
        before = len(timing.COMPILE_SECONDS)
        population.advance_lanes(plan, HYPERS[:1], start_states[:1], training_data, [1])
        return len(timing.COMPILE_SECONDS) - before

    # the third takes the place of the second
    assert [count_compilations(plans[index]) for index in (0, 1, 0, 2, 0, 1)] == [1, 1, 0, 1, 0, 1]


def test_lane_order_does_not_matter(
    end_states: tuple[list[LaneState], int], training_data: TrainingData, start_states: list[LaneState]
) -> None:
    backwards = train_lanes(PLAN, HYPERS[::-1], start_states[::-1], training_data)
    assert all(are_equal_trees(one, other) for one, other in zip(backwards[::-1], end_states[0], strict=True))


def test_diverged_lane_stops_alone(
    end_states: tuple[list[LaneState], int], training_data: TrainingData, start_states: list[LaneState]
) -> None:
    states = end_states[0]
    assert [lane for lane, state in enumerate(states) if state.diverged_step >= 0] == [2]
    assert int(states[2].step) < int(states[0].step) == PLAN.epochs * PLAN.steps_per_epoch
    calm = [HYPERS[0] if lane == 2 else hyper for lane, hyper in enumerate(HYPERS)]
    others = train_lanes(PLAN, calm, start_states, training_data)
    assert all(are_equal_trees(others[lane], states[lane]) for lane in range(7) if lane != 2)


def test_predictions_per_network(end_states: tuple[list[LaneState], int], training_data: TrainingData) -> None:
    rows = np.array([13, 2, 7, 19])
    members = [end_states[0][lane].best_weights for lane in (0, 4)]
    predictions = inference.predict_examples(PLAN, members, training_data, rows)
    assert predictions.shape == (2, 4, 3)
    host = draw_training_data()
    flat = ((host.images[rows] / np.float32(255) - 0.5) * 3.5).reshape(4, -1)
    logits = flat @ members[1][0]["last"]["kernel"][...] + members[1][0]["last"]["bias"][...]
    likely = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(predictions[1], likely, rtol=1e-4)

    right = predictions[0].argmax(1) == host.labels["label"][rows]
    weight = np.array([[1, 1, 1, 1], [0, 1, 1, 0]])
    measured = inference.score_predictions(PLAN, predictions[0], training_data, rows, weight)
    np.testing.assert_allclose(measured["accuracy"], [right.mean(), right[1:3].mean()], rtol=1e-6)


@pytest.mark.parametrize("until", [[0, 1, 2, 1, 0, 2, 1], [1] * 7])
def test_segments_equal_one_run(
    until: list[int],
    end_states: tuple[list[LaneState], int],
    training_data: TrainingData,
    start_states: list[LaneState],
) -> None:
    """Each lane stands somewhere else between the calls."""
    half = population.advance_lanes(PLAN, HYPERS, start_states, training_data, until)
    assert [int(state.step) for lane, state in enumerate(half) if lane != 2] == [
        PLAN.steps_per_epoch * end for lane, end in enumerate(until) if lane != 2
    ]
    assert all(
        are_equal_trees(one, other)
        for one, other in zip(train_lanes(PLAN, HYPERS, half, training_data), end_states[0], strict=True)
    )


def test_finished_lanes_call_nothing(
    end_states: tuple[list[LaneState], int], training_data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(population, "_run_call", None)
    again = population.advance_lanes(PLAN, HYPERS, end_states[0], training_data, [2] * 7)
    assert all(are_equal_trees(one, other) for one, other in zip(again, end_states[0], strict=True))


def test_unstack_undoes_stack(start_states: list[LaneState]) -> None:
    assert all(
        are_equal_trees(a, b)
        for a, b in zip(population.unstack_tree(population.stack_trees(start_states)), start_states, strict=True)
    )


@pytest.mark.slow
def test_state_and_dropout_travel_with_lane(training_data: TrainingData) -> None:
    plan = replace(PLAN, network=Network(f"{Shaky.__module__}.Shaky", SPEC.image_shape, (3,)), augmentation_names=())
    states = [population.init_lane(plan, HYPERS[0], seed, 0) for seed in (0, 0, 1)]
    first, twin, other = train_lanes(plan, [HYPERS[0]] * 3, states, training_data)
    assert are_equal_trees(first, twin)
    assert not are_equal_trees(first.learner.parameters, other.learner.parameters)
    assert int(first.learner.model_state["drop"]["rngs"]["count"][...]) == plan.epochs * plan.steps_per_epoch
    assert (first.learner.model_state["norm"]["var"][...] != states[0].learner.model_state["norm"]["var"][...]).any()
    rows = np.arange(12, N)
    again = [inference.predict_examples(plan, [first.best_weights], training_data, rows) for _ in range(2)]
    np.testing.assert_array_equal(again[0], again[1])
    accuracy = inference.score_predictions(plan, again[0][0], training_data, rows, np.ones((1, len(rows))))["accuracy"][
        0
    ]
    assert float(accuracy) == float(first.best_value)
