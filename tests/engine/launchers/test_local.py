"""Lanes in several processes: the same bits."""

import jax
import pytest

from tests.helpers.small_lanes import HYPERS, PLAN, draw_training_data
from tests.helpers.trees import are_equal_trees
from thalweg.engine import population
from thalweg.engine.fit import LaneState
from thalweg.engine.launchers import local, start_workers


def test_processes_give_same_bits(end_states: tuple[list[LaneState], int], start_states: list[LaneState]) -> None:
    """As on a machine with more cores than a process uses."""
    with local.start_local_workers(draw_training_data(), 2) as two:
        states = population.advance_lanes(
            PLAN, HYPERS, start_states, draw_training_data(), [PLAN.epochs] * 7, workers=two
        )
    assert all(are_equal_trees(one, other) for one, other in zip(states, end_states[0], strict=True))


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="an accelerator is used by one process")
def test_worker_count_follows_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []
    for cores in (1, 2, 3, 8, 9):
        monkeypatch.setattr("thalweg.system.runtime.count_cores", lambda cores=cores: cores)
        counted.append(local.count_workers())
    assert counted == [1, 1, 2, 4, 5]
    monkeypatch.setattr("thalweg.system.runtime.count_cores", lambda: 2)
    with start_workers(draw_training_data()) as none:
        assert none is None
