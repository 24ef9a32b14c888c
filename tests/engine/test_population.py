"""Many lanes through one program: each the same bits as alone, whatever stands beside it and wherever it runs."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests.helpers.networks import Shaky
from thalweg.core import losses, schedules
from thalweg.core.hyperparameters import list_defaults as numbers_of
from thalweg.core.network import Network
from thalweg.core.types import DataSpec
from thalweg.engine import population, workers
from thalweg.engine.block_layout import BlockShape
from thalweg.engine.fit import LaneState
from thalweg.engine.workers import copy_to_devices
from thalweg.system import timing
from thalweg.tasks.classify import Classify
from thalweg.training import inference
from thalweg.training.plan import NetworkHyper, TrainingData
from thalweg.training.program import NetworkProgram

N = 20
SPEC = DataSpec((5, 5, 1), 3)
ON = ("brightness", "noise", "flip")
PLAN = NetworkProgram(
    Classify(), SPEC, Network("linear", SPEC.image_shape, (3,)), "heavy_ball", False, ON, 4, 3, 2, 1, 0, "accuracy"
)


def draw_data() -> TrainingData:
    draw = np.random.default_rng(0)
    return TrainingData(
        images=draw.integers(0, 256, (N, 5, 5, 1), np.uint8),
        labels={"label": draw.integers(0, 3, N).astype(np.int32)},
        background_index=np.zeros(N, np.int32),
        backgrounds=np.zeros((0, 5, 5, 1), np.uint8),
        mean=np.full(1, 0.5, np.float32),
        scale=np.full(1, 3.5, np.float32),
        train_rows=np.arange(12, dtype=np.int32)[None],
        train_sizes=np.array([12], np.int32),
        validation_rows=np.arange(12, N, dtype=np.int32)[None],
        validation_weights=np.ones((1, N - 12), np.float32),
    )


def build_hyper(
    rate: float = 0.1, schedule: int = 0, loss: int = 0, noise: float = 0.0, flip: float = 0.0
) -> NetworkHyper:
    numbers = {name: value for member in schedules.KINDS for name, value in numbers_of(member).items()}
    family = {name: v for member in losses.FAMILIES["classification"] for name, v in numbers_of(member).items()}
    return NetworkHyper(
        learning_rate=np.float32(rate),
        clip=np.float32(np.inf),
        optimizer={"momentum": np.float32(0.9), "weight_decay": np.float32(0)},
        schedule={name: np.float32(v) for name, v in (numbers | schedules.COMMON_DEFAULTS).items()}
        | {"kind": np.int32(schedule)},
        loss={
            "label": {name: np.float32(v) for name, v in family.items()}
            | {"kind": np.int32(loss), "weight": np.float32(1)}
        },
        balance=np.int32(0),
        augment={"brightness": np.float32(0.1), "noise": np.float32(noise), "flip": np.float32(flip)},
    )


HYPERS = [
    build_hyper(0.1),
    build_hyper(0.01, schedule=3),
    build_hyper(1e38),
    build_hyper(0.1, loss=1),
    build_hyper(0.1, noise=0.3, flip=0.5),
    build_hyper(0.3, schedule=6, loss=1, noise=0.1),
    build_hyper(0.05, schedule=1),
]
SEEDS = [0, 0, 1, 0, 2, 0, 3]


@pytest.fixture(scope="module")
def data() -> TrainingData:
    result: TrainingData = copy_to_devices(draw_data())
    return result


@pytest.fixture(scope="module")
def start_states() -> list[LaneState]:
    return [population.init_lane(PLAN, seed, 0) for seed in SEEDS]


@pytest.fixture(scope="module")
def end_states(data: TrainingData, start_states: list[LaneState]) -> tuple[list[LaneState], int]:
    """All lanes at once: their ends, and how many compilations it took."""
    before = len(timing.COMPILE_SECONDS)
    states = train_lanes(PLAN, HYPERS, start_states, data)
    return states, len(timing.COMPILE_SECONDS) - before


def train_lanes(
    plan: Any, hypers: Sequence[NetworkHyper], states: Sequence[LaneState], data: TrainingData
) -> list[LaneState]:
    """Lanes at their ends."""
    return population.advance_lanes(plan, hypers, states, data, [plan.epochs] * len(states))


def are_equal_states(first: Any, second: Any) -> bool:
    return all(jax.tree.leaves(jax.tree.map(lambda a, b: np.array_equal(a, b, equal_nan=True), first, second)))


def test_one_program_for_all_numbers(end_states: tuple[list[LaneState], int]) -> None:
    # an accelerator's calibration tries a narrower one, too
    assert end_states[1] == (1 if jax.default_backend() == "cpu" else 2)
    finals = [state.learner.parameters["last"]["kernel"][...] for lane, state in enumerate(end_states[0]) if lane != 2]
    assert all(np.isfinite(final).all() for final in finals)
    assert len({final.tobytes() for final in finals}) == len(finals)


def test_lone_lane_has_same_bits(
    end_states: tuple[list[LaneState], int], data: TrainingData, start_states: list[LaneState]
) -> None:
    before = len(timing.COMPILE_SECONDS)
    for lane in (0, 4, 6):
        assert are_equal_states(train_lanes(PLAN, [HYPERS[lane]], [start_states[lane]], data)[0], end_states[0][lane])
    assert len(timing.COMPILE_SECONDS) == before


def test_lane_order_does_not_matter(
    end_states: tuple[list[LaneState], int], data: TrainingData, start_states: list[LaneState]
) -> None:
    backwards = train_lanes(PLAN, HYPERS[::-1], start_states[::-1], data)
    assert all(are_equal_states(one, other) for one, other in zip(backwards[::-1], end_states[0], strict=True))


def test_diverged_lane_stops_alone(
    end_states: tuple[list[LaneState], int], data: TrainingData, start_states: list[LaneState]
) -> None:
    states = end_states[0]
    assert [lane for lane, state in enumerate(states) if state.diverged_step >= 0] == [2]
    assert int(states[2].step) < int(states[0].step) == PLAN.epochs * PLAN.steps_per_epoch
    calm = [HYPERS[0] if lane == 2 else one for lane, one in enumerate(HYPERS)]
    others = train_lanes(PLAN, calm, start_states, data)
    assert all(are_equal_states(others[lane], states[lane]) for lane in range(7) if lane != 2)


def test_predictions_per_network(end_states: tuple[list[LaneState], int], data: TrainingData) -> None:
    rows = np.array([13, 2, 7, 19])
    members = [end_states[0][lane].best_weights for lane in (0, 4)]
    predictions = inference.predict_examples(PLAN, members, data, rows)
    assert predictions.shape == (2, 4, 3)
    host = draw_data()
    flat = ((host.images[rows] / np.float32(255) - 0.5) * 3.5).reshape(4, -1)
    logits = flat @ members[1][0]["last"]["kernel"][...] + members[1][0]["last"]["bias"][...]
    likely = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(predictions[1], likely, rtol=1e-4)

    right = predictions[0].argmax(1) == host.labels["label"][rows]
    weight = np.array([[1, 1, 1, 1], [0, 1, 1, 0]])
    measured = inference.score_predictions(PLAN, predictions[0], data, rows, weight)
    np.testing.assert_allclose(measured["accuracy"], [right.mean(), right[1:3].mean()], rtol=1e-6)


@pytest.mark.parametrize("until", [[0, 1, 2, 1, 0, 2, 1], [1] * 7])
def test_segments_equal_one_run(
    until: list[int], end_states: tuple[list[LaneState], int], data: TrainingData, start_states: list[LaneState]
) -> None:
    """Each lane stands somewhere else between the calls."""
    half = population.advance_lanes(PLAN, HYPERS, start_states, data, until)
    assert [int(state.step) for lane, state in enumerate(half) if lane != 2] == [
        PLAN.steps_per_epoch * end for lane, end in enumerate(until) if lane != 2
    ]
    assert all(
        are_equal_states(one, other)
        for one, other in zip(train_lanes(PLAN, HYPERS, half, data), end_states[0], strict=True)
    )


def test_finished_lanes_call_nothing(
    end_states: tuple[list[LaneState], int], data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(population, "_run_call", None)
    again = population.advance_lanes(PLAN, HYPERS, end_states[0], data, [2] * 7)
    assert all(are_equal_states(one, other) for one, other in zip(again, end_states[0], strict=True))


@pytest.fixture
def accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way of an accelerator, on the CPU: lanes side by side, their bits equal at one shape only."""
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(population, "shapes", {})
    monkeypatch.setattr(population, "_compiled", {})


def assert_close_states(states: Sequence[LaneState], others: Sequence[LaneState]) -> None:
    for one, other in zip(states, others, strict=True):
        assert int(one.step) == int(other.step)
        np.testing.assert_allclose(one.curves["val_loss"], other.curves["val_loss"], rtol=1e-4)


@pytest.fixture
def fake_timing(accelerator: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[int, float | None]], list[int]]:  # noqa: ARG001
    """Stand-in for trying a width: seconds of a call by lanes at once, as a device might need them; None: no memory."""
    asked: list[int] = []

    def measured(seconds: dict[int, float | None]) -> list[int]:
        def run(_plan: NetworkProgram, shape: BlockShape, _clocks: Any, _lanes: Any, _data: Any) -> tuple[Any, float]:
            at_once = shape.blocks * shape.lanes * jax.device_count()
            asked.append(at_once)
            took = seconds[at_once]
            if took is None:
                raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")
            return at_once, took

        monkeypatch.setattr(population, "_time_call", run)
        return asked

    return measured


@pytest.mark.parametrize(
    ("seconds", "asked", "chosen"),
    [
        # twice the lanes cost the same: the wider the better
        ({64: 1.0, 16: 0.9}, [64, 16], 64),
        # full from 16 lanes on: a narrower shape loses less when lanes are pruned
        ({64: 2.0, 16: 0.5, 4: 0.4}, [64, 16, 4], 16),
        # calls are long only because they are wide
        ({64: 10.0, 16: 2.5, 4: 1.0}, [64, 16, 4], 16),
        ({64: None, 32: None, 16: 0.5, 4: 0.3}, [64, 32, 16, 4], 16),
    ],
)
def test_calibration_starts_at_widest(
    fake_timing: Callable[[dict[int, float | None]], list[int]],
    data: TrainingData,
    seconds: dict[int, float | None],
    asked: list[int],
    chosen: int,
) -> None:
    known = fake_timing(seconds)
    state = population.init_lane(PLAN, 0, 0)
    shape = population._choose_shape(PLAN, [0] * 64, [(state, HYPERS[0], 1)] * 64, data, None)
    assert known == asked
    assert shape.blocks * shape.lanes * jax.device_count() == chosen
    assert population.shapes.get(PLAN) == shape


@pytest.mark.slow
@pytest.mark.usefixtures("accelerator")
def test_accelerator_matches_cpu(
    end_states: tuple[list[LaneState], int],
    data: TrainingData,
    start_states: list[LaneState],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        population, "MIN_RELATIVE_SPEED", 1e9
    )  # the first width that is tried is taken, however busy the machine
    states = train_lanes(PLAN, HYPERS, start_states, data)
    assert_close_states(states, end_states[0])
    # four lanes of seed 0 on each of these devices, and room for all seven
    devices = jax.device_count()
    shape = population.shapes.get(PLAN)
    assert shape is not None
    assert shape.lanes == {1: 4, 2: 2}[devices]
    assert shape.blocks * shape.lanes * devices == 8
    # once settled it is kept, so that a lane has the same bits in less company, and after a pause
    few = train_lanes(PLAN, HYPERS[:2], start_states[:2], data)
    assert population.shapes.get(PLAN) == shape
    assert_close_states(few, end_states[0][:2])
    half = population.advance_lanes(PLAN, HYPERS, start_states, data, [1] * 7)
    assert all(are_equal_states(a, b) for a, b in zip(train_lanes(PLAN, HYPERS, half, data), states, strict=True))


@pytest.mark.usefixtures("accelerator")
def test_width_is_lanes_per_device(
    end_states: tuple[list[LaneState], int], data: TrainingData, start_states: list[LaneState]
) -> None:
    states = population.advance_lanes(PLAN, HYPERS, start_states, data, [2] * 7, width=1)
    assert population.shapes.get(PLAN) == (1, 1)
    assert_close_states(states, end_states[0])


def test_host_out_of_memory_is_raised(
    data: TrainingData, start_states: list[LaneState], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")

    monkeypatch.setattr(population, "_compile_program", full)
    with pytest.raises(jax.errors.JaxRuntimeError) as raised:
        train_lanes(PLAN, HYPERS, start_states, data)
    assert population.is_out_of_memory(raised.value)


@pytest.mark.usefixtures("accelerator")
def test_device_out_of_memory_halves_width(
    end_states: tuple[list[LaneState], int],
    data: TrainingData,
    start_states: list[LaneState],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No machine here has a device that runs out, so a program that says so stands for one."""
    real, tried = population._compile_program, []

    def small(plan: NetworkProgram, arguments: Any) -> Any:
        rows, lanes = arguments[3].shape
        tried.append(rows * lanes // jax.device_count())
        if tried[-1] > 2:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate")
        return real(plan, arguments)

    monkeypatch.setattr(population, "_compile_program", small)
    states = population.advance_lanes(PLAN, HYPERS, start_states, data, [2] * 7, width=8)
    assert tried[:3] == [8, 4, 2]
    assert set(tried[2:]) == {2}
    assert [record.message.split("; ")[1] for record in caplog.records] == ["now 4", "now 2"]
    assert_close_states(states, end_states[0])


def test_other_device_errors_are_raised(
    data: TrainingData, start_states: list[LaneState], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise jax.errors.JaxRuntimeError("INTERNAL: something else")

    monkeypatch.setattr(population, "_compile_program", broken)
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
        train_lanes(PLAN, HYPERS, start_states, data)


def test_processes_give_same_bits(end_states: tuple[list[LaneState], int], start_states: list[LaneState]) -> None:
    """As on a machine with more cores than a process uses."""
    with workers.start_worker_pool(draw_data(), 2) as two:
        states = population.advance_lanes(PLAN, HYPERS, start_states, draw_data(), [PLAN.epochs] * 7, workers=two)
    assert all(are_equal_states(one, other) for one, other in zip(states, end_states[0], strict=True))


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="an accelerator is used by one process")
def test_worker_count_follows_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []
    for cores in (1, 2, 3, 8, 9):
        monkeypatch.setattr("thalweg.system.runtime.count_cores", lambda cores=cores: cores)
        counted.append(workers.count_workers())
    assert counted == [1, 1, 2, 4, 5]
    monkeypatch.setattr("thalweg.system.runtime.count_cores", lambda: 2)
    with workers.start_worker_pool(draw_data()) as none:
        assert none is None


def test_unstack_undoes_stack(start_states: list[LaneState]) -> None:
    assert all(
        are_equal_states(a, b)
        for a, b in zip(population.unstack_tree(population.stack_trees(start_states)), start_states, strict=True)
    )


@pytest.mark.slow
def test_state_and_dropout_travel_with_lane(data: TrainingData) -> None:
    plan = replace(PLAN, network=Network(f"{Shaky.__module__}.Shaky", SPEC.image_shape, (3,)), augmentation_names=())
    states = [population.init_lane(plan, seed, 0) for seed in (0, 0, 1)]
    first, twin, other = train_lanes(plan, [HYPERS[0]] * 3, states, data)
    assert are_equal_states(first, twin)
    assert not are_equal_states(first.learner.parameters, other.learner.parameters)
    assert int(first.learner.model_state["drop"]["rngs"]["count"][...]) == plan.epochs * plan.steps_per_epoch
    assert (first.learner.model_state["norm"]["var"][...] != states[0].learner.model_state["norm"]["var"][...]).any()
    rows = np.arange(12, N)
    again = [inference.predict_examples(plan, [first.best_weights], data, rows) for _ in range(2)]
    np.testing.assert_array_equal(again[0], again[1])
    accuracy = inference.score_predictions(plan, again[0][0], data, rows, np.ones((1, len(rows))))["accuracy"][0]
    assert float(accuracy) == float(first.best_value)


SCRIPT = """
import hashlib, importlib.util, sys
spec = importlib.util.spec_from_file_location("lanes", sys.argv[1])
lanes = importlib.util.module_from_spec(spec)
sys.modules["lanes"] = lanes
import thalweg
spec.loader.exec_module(lanes)
import jax, numpy as np
from thalweg.engine import workers, population
data = workers.copy_to_devices(lanes.draw_data())
states = [population.init_lane(lanes.PLAN, seed, 0) for seed in lanes.SEEDS]
ends = lanes.train_lanes(lanes.PLAN, lanes.HYPERS, states, data)
total = hashlib.sha256(b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(ends)))
alone = [lanes.train_lanes(lanes.PLAN, [lanes.HYPERS[i]], [states[i]], data)[0] for i in (0, 4)]
print(jax.device_count(), lanes.are_equal_states(alone, [ends[0], ends[4]]), total.hexdigest())
"""


@pytest.mark.slow
def test_two_devices_give_same_bits() -> None:
    """Compiled as a study compiles, whatever flags the other tests have."""
    told = []
    for count in (1, 2):
        flags = f"--xla_force_host_platform_device_count={count}"
        environment = os.environ | {"XLA_FLAGS": flags, "NPROC": "2", "JAX_PLATFORMS": "cpu"}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(Path(__file__))],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        told.append(done.stdout.split())
    assert [count for count, *_ in told] == ["1", "2"]
    assert told[0][1:] == told[1][1:]
    assert told[0][1] == "True"
