"""The lanes that an accelerator trains at once."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
import pytest

from tests.helpers.small_lanes import HYPERS, PLAN, train_lanes
from tests.helpers.trees import are_equal_trees
from thalweg.engine import population
from thalweg.engine.block_layout import BlockShape
from thalweg.engine.fit import LaneState
from thalweg.training.plan import TrainingData
from thalweg.training.program import NetworkProgram


@pytest.fixture
def fake_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way of an accelerator, on the CPU: lanes side by side, their bits equal at one shape only."""
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(population, "shapes", {})
    monkeypatch.setattr(population, "_compiled", {})


def assert_close_states(states: Sequence[LaneState], others: Sequence[LaneState]) -> None:
    for one, other in zip(states, others, strict=True):
        assert int(one.step) == int(other.step)
        np.testing.assert_allclose(one.curves, other.curves, rtol=1e-4)


@pytest.fixture
def fake_timing(
    fake_accelerator: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[dict[int, float | None]], list[int]]:
    """Stand-in for trying a width: seconds of a call by lanes at once, as a device might need them; None: no memory."""
    widths: list[int] = []

    def install_timing(seconds: dict[int, float | None]) -> list[int]:
        def run(_plan: NetworkProgram, shape: BlockShape, _clocks: Any, _lanes: Any, _data: Any) -> tuple[Any, float]:
            at_once = shape.blocks * shape.lanes * jax.device_count()
            widths.append(at_once)
            took = seconds[at_once]
            if took is None:
                raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")
            return at_once, took

        monkeypatch.setattr(population, "_time_call", run)
        return widths

    return install_timing


@pytest.mark.parametrize(
    ("seconds", "widths", "chosen"),
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
    training_data: TrainingData,
    seconds: dict[int, float | None],
    widths: list[int],
    chosen: int,
) -> None:
    tried = fake_timing(seconds)
    state = population.init_lane(PLAN, HYPERS[0], 0, 0)
    shape = population._choose_shape(PLAN, [0] * 64, [(state, HYPERS[0], 1)] * 64, training_data, None)
    assert tried == widths
    assert shape.blocks * shape.lanes * jax.device_count() == chosen
    assert population.shapes.get(PLAN) == shape


@pytest.mark.slow
@pytest.mark.usefixtures("fake_accelerator")
def test_accelerator_matches_cpu(
    end_states: tuple[list[LaneState], int],
    training_data: TrainingData,
    start_states: list[LaneState],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        population, "MIN_RELATIVE_SPEED", 1e9
    )  # the first width that is tried is taken, however busy the machine
    states = train_lanes(PLAN, HYPERS, start_states, training_data)
    assert_close_states(states, end_states[0])
    # four lanes of seed 0 on each of these devices, and room for all seven
    devices = jax.device_count()
    shape = population.shapes.get(PLAN)
    assert shape is not None
    assert shape.lanes == {1: 4, 2: 2}[devices]
    assert shape.blocks * shape.lanes * devices == 8
    # once settled it is kept, so that a lane has the same bits in less company, and after a pause
    few = train_lanes(PLAN, HYPERS[:2], start_states[:2], training_data)
    assert population.shapes.get(PLAN) == shape
    assert_close_states(few, end_states[0][:2])
    half = population.advance_lanes(PLAN, HYPERS, start_states, training_data, [1] * 7)
    assert all(
        are_equal_trees(a, b) for a, b in zip(train_lanes(PLAN, HYPERS, half, training_data), states, strict=True)
    )


@pytest.mark.usefixtures("fake_accelerator")
def test_width_is_lanes_per_device(
    end_states: tuple[list[LaneState], int], training_data: TrainingData, start_states: list[LaneState]
) -> None:
    states = population.advance_lanes(PLAN, HYPERS, start_states, training_data, [2] * 7, width=1)
    assert population.shapes.get(PLAN) == (1, 1)
    assert_close_states(states, end_states[0])


def test_host_out_of_memory_is_raised(
    training_data: TrainingData, start_states: list[LaneState], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")

    monkeypatch.setattr(population, "_compile_program", full)
    with pytest.raises(jax.errors.JaxRuntimeError) as raised:
        train_lanes(PLAN, HYPERS, start_states, training_data)
    assert population.is_out_of_memory(raised.value)


@pytest.mark.usefixtures("fake_accelerator")
def test_device_out_of_memory_halves_width(
    end_states: tuple[list[LaneState], int],
    training_data: TrainingData,
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
    states = population.advance_lanes(PLAN, HYPERS, start_states, training_data, [2] * 7, width=8)
    assert tried[:3] == [8, 4, 2]
    assert set(tried[2:]) == {2}
    assert [record.message.split("; ")[1] for record in caplog.records] == ["now 4", "now 2"]
    assert_close_states(states, end_states[0])


def test_other_device_errors_are_raised(
    training_data: TrainingData, start_states: list[LaneState], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_to_compile(*_: Any) -> None:
        raise jax.errors.JaxRuntimeError("INTERNAL: something else")

    monkeypatch.setattr(population, "_compile_program", fail_to_compile)
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
        train_lanes(PLAN, HYPERS, start_states, training_data)
