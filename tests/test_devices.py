"""The simulation of `benchmarks.devices`, where nothing goes wrong and the answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.devices.simulation import Run, Study
from benchmarks.devices.world import FREE, Costs, World
from thalweg.search.cohorts import Rules

EVEN = World(8, epoch_seconds=10.0, jitter=0.0, slow_share=0.0, failure_hours=1e12, lane_mib=0.0)
PLAIN = ((9,),)
PRUNED = ((1, 3, 9),)


def simulate(rules: Rules, world: World = EVEN, costs: Costs = FREE, has_segments: bool = True) -> Run:
    return Study(world, costs, rules, np.random.default_rng(0), has_segments).run()


@pytest.mark.parametrize(
    ("cohort", "in_flight", "seconds"),
    [
        (8, 1, 2 * 90),  # each device has a lane
        (4, 1, 4 * 90),  # half of the devices have none
        (4, 2, 2 * 90),
        (16, 1, 180),  # two lanes take turns
    ],
)
def test_seconds_without_pruning(cohort: int, in_flight: int, seconds: float) -> None:
    run = simulate(Rules(16, cohort, PLAIN, in_flight=in_flight))
    assert run.seconds == pytest.approx(seconds)
    assert run.utilisation == pytest.approx(16 * 90 / (8 * seconds))


def test_pruning_leaves_devices_idle() -> None:
    """Of 8 lanes 3 go on, and then 1: (8 + 3 x 2 + 1 x 6) of 8 x 9 epochs."""
    run = simulate(Rules(16, 8, PRUNED))
    assert run.seconds == pytest.approx(2 * 90)
    assert run.utilisation == pytest.approx(20 / 72)


def test_lanes_of_other_cohorts_fill_gaps() -> None:
    """Beside the 3 lanes that go on, the next cohort takes a second turn: 11 lanes on 8 devices."""
    shallow, deep = (simulate(Rules(64, 8, PRUNED, in_flight=depth)).utilisation for depth in (1, 3))
    assert shallow == pytest.approx(20 / 72)
    assert deep > 1.5 * shallow


def test_straggler_takes_five_times_as_long() -> None:
    world = replace(EVEN, slow_share=1.0)
    assert simulate(Rules(16, 8, PLAIN), world).seconds == pytest.approx(5 * 2 * 90)


def test_stragglers_hold_up_those_that_wait_for_them() -> None:
    """A device is slow for a segment or so: at the next one, all others wait for it; alone, it catches up."""
    world = replace(EVEN, slow_share=0.1, slow_seconds=10.0)
    waiting, alone = (simulate(Rules(64, 8, PLAIN), world, has_segments=has).seconds for has in (True, False))
    assert waiting > 1.2 * alone


def test_leading_process_is_paid() -> None:
    """Each of two cohorts waits for 8 asks, of 1 s and 0.5 s for each finished trial, and 8 tells of 2 s."""
    costs = replace(FREE, ask=(1.0, 0.5, 0.0), trial=2.0)
    assert simulate(Rules(16, 8, PLAIN), costs=costs).seconds == pytest.approx(2 * 90 + 2 * 8 + 8 * 8 * 0.5 + 16 * 2)


def test_lanes_go_through_one_process() -> None:
    """A MiB a second: the eighth lane leaves after 8 s, and is back a second after its end, in each of 9 segments."""
    run = simulate(Rules(8, 8, PLAIN), replace(EVEN, lane_mib=1.0), replace(FREE, transfer_rate=2.0**20))
    assert run.seconds == pytest.approx(9 * (8 + 10 + 1))


def test_failed_segment_is_done_again() -> None:
    """Failures are frequent, and each loses at most a segment: the study ends later, with all its trials."""
    rules = Rules(16, 8, PLAIN)
    run = simulate(rules, replace(EVEN, failure_hours=0.1, restart_seconds=5.0))
    assert 2 * 90 < run.seconds < 6 * 90
    assert run.utilisation == pytest.approx(16 * 90 / (8 * run.seconds))


def test_lanes_go_on_alone_without_segments() -> None:
    """Nothing goes wrong: waiting costs nothing, and both ways take the same time."""
    rules = Rules(32, 8, PRUNED)
    assert simulate(rules, has_segments=False).seconds == pytest.approx(simulate(rules).seconds)
