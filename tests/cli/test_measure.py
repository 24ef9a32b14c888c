"""How fast this machine trains."""

from collections.abc import Sequence

import jax
import pytest

from tests.cli.test_programs import CONFIG
from thalweg.cli import measure, preflight, programs
from thalweg.cli.measure import SAVED_EVENT, round_up
from thalweg.system.files import UserError


@pytest.mark.parametrize(("count", "parallel", "rounded"), [(1, 2, 2), (4, 2, 4), (5, 2, 6), (4.5, 2, 6), (0, 2, 0)])
def test_lanes_take_turns(count: float, parallel: int, rounded: int) -> None:
    assert round_up(count, parallel) == rounded


def test_kept_program_counts_as_new() -> None:
    before = measure._sum_compile_seconds()
    jax.monitoring.record_event_duration_secs(SAVED_EVENT, 2.5)
    jax.monitoring.record_event_duration_secs("/jax/other", 9.0)
    assert measure._sum_compile_seconds() == pytest.approx(before + 2.5)


def test_programs_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three programs two stand for all."""
    monkeypatch.setattr(measure, "MEASURED_SECONDS", 0.0)
    monkeypatch.setattr(measure, "MEASURED_PROGRAMS", 2)
    monkeypatch.setattr(measure, "_measure_start", lambda: 1.5)
    monkeypatch.setattr(measure, "_measure_reading", lambda _: 0.5)
    config = CONFIG.replace_values({"study.space": {"training.batch_size": {"choices": [4, 8, 12]}}})
    outline = preflight.build_outline(config.data, config.seed)
    assert outline is not None
    measured: list[int] = []
    original = measure._measure_program

    def measure_program(*arguments: object) -> tuple[float, float, float]:
        measured.append(arguments[1].program.batch_size)  # type: ignore[attr-defined]
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(measure, "_measure_program", measure_program)
    planned, reviewed = programs.list_programs(config, outline), list[tuple[int, int]]()
    speed = measure.measure_speed(config, outline, planned, lambda known, count: reviewed.append((len(known), count)))
    assert measured == [4, 12]
    assert reviewed == [(1, 2)]
    assert (speed.start, speed.read) == (1.5, 60 * 0.5)
    assert min(speed.compile, speed.epoch, speed.lone_epoch, speed.passes, speed.parallel) > 0


def test_speeds_of_programs_are_combined() -> None:
    quick, slow = (measure.Speed(epoch, 2 * epoch, 9 - epoch, 1.0, 1.0, 2, 10.0) for epoch in (1.0, 3.0))
    assert measure.combine_speeds([quick, slow]) == measure.Speed(2.0, 4.0, 7.0, 1.0, 1.0, 2, 10.0)
    assert measure.combine_speeds([quick, slow], max) == measure.Speed(3.0, 6.0, 8.0, 1.0, 1.0, 2, 10.0)


def test_measuring_ends_if_the_review_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_measure_program", lambda *_: (0.1, 0.2, 3.0))
    config = CONFIG.replace_values({"study.space": {"training.batch_size": {"choices": [4, 8, 12]}}})
    outline = preflight.build_outline(config.data, config.seed)
    assert outline is not None

    def review(measured: Sequence[measure.Speed], count: int) -> None:
        if len(measured) == 2:
            raise UserError(f"{measured[1].compile:g} s, {len(measured)} of {count}")

    with pytest.raises(UserError, match="3 s, 2 of 3"):
        measure.measure_speed(config, outline, programs.list_programs(config, outline), review)
