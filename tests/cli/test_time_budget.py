"""Settings that fill a given time."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from thalweg.cli.measure import Speed, combine_speeds
from thalweg.cli.stage_work import describe_stages, estimate_stages
from thalweg.cli.time_budget import describe_fit, fit_settings, require_time, scale_settings
from thalweg.config.load import load_config
from thalweg.config.write import rewrite_params
from thalweg.system.files import UserError

DETECT = load_config(ROOT / "presets" / "detect.yaml")
SPEED = Speed(epoch=0.5, lone_epoch=0.5, compile=4.0, read=2.0, start=2.0, parallel=2, passes=1000.0)
SLOW = replace(SPEED, epoch=4.0, lone_epoch=5.0, compile=12.0)


def test_factor_one_is_the_preset() -> None:
    values = scale_settings(DETECT, 1.0)
    assert DETECT.replace_values(values) == DETECT
    assert set(values) == {"study.trials", "training.epochs", "confirm.epochs", "confirm.seeds", "diagnose.seeds"}


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.7, 20.0, 1000.0])
def test_scaled_settings_are_valid(factor: float) -> None:
    config = DETECT.replace_values({"training.validate_every": 2} | scale_settings(DETECT, factor))
    assert config.study.trials % config.study.cohort == 0
    assert config.study.prune
    assert config.training.epochs > config.study.prune.first
    assert config.training.epochs <= 4 * DETECT.training.epochs
    assert 2 <= config.confirm.seeds <= 32


@pytest.mark.parametrize("preset", sorted((ROOT / "presets").glob("*.yaml")), ids=lambda file: file.stem)
@pytest.mark.parametrize("warmup", [None, 1])
def test_scaled_presets_have_no_fault(preset: Path, warmup: int | None) -> None:
    base = preset.read_text() if warmup is None else rewrite_params(preset.read_text(), {"schedule.warmup": warmup})
    config = load_config(preset, content=base.encode())
    for factor in (0.0, 0.1, 0.3, 0.7, 1.7, 20.0, 1000.0):
        load_config(preset, content=rewrite_params(base, scale_settings(config, factor)).encode())


def test_grid_keeps_its_trials() -> None:
    grid = DETECT.replace_values({"study.sampler": "grid", "study.prune": None})
    assert "study.trials" not in scale_settings(grid, 2.0)


def test_searched_epochs_stay() -> None:
    searched = {"study.prune": None, "study.space": {"training.epochs": {"choices": [4, 8]}}}
    assert "training.epochs" not in scale_settings(DETECT.replace_values(searched), 2.0)


@pytest.mark.parametrize("minutes", [10, 60, 600])
def test_time_is_filled_and_not_exceeded(minutes: int) -> None:
    fit = fit_settings(DETECT, SPEED, 60 * minutes)
    total = sum(fit.seconds.values())
    assert 0.85 * 60 * minutes <= total <= 60 * minutes
    assert fit.seconds == estimate_stages(DETECT.replace_values(fit.values), SPEED)


def test_more_time_is_used() -> None:
    short, long = (fit_settings(DETECT, SPEED, seconds).values for seconds in (1200, 7200))
    assert all(long[path] >= short[path] for path in short)
    assert long["study.trials"] > short["study.trials"]


def test_too_little_time_is_refused() -> None:
    with pytest.raises(UserError, match=r"--minutes: the least .* use --minutes \d+ or more"):
        fit_settings(DETECT, SPEED, 30)


def test_refused_time_is_less_than_the_least() -> None:
    """`--minutes 2` was refused with "takes about 2 min"."""
    least = sum(estimate_stages(DETECT.replace_values(scale_settings(DETECT, 0.0)), SPEED).values())
    with pytest.raises(UserError, match=f"takes about {int(least // 60)} min {round(least) % 60} s on this machine"):
        fit_settings(DETECT, SPEED, least - 1)


@pytest.mark.parametrize(("measured", "seconds", "elapsed"), [(1, 30, 20.0), (1, 80, 85.0), (2, 60, 20.0)])
def test_measuring_stops_when_time_is_too_short(measured: int, seconds: float, elapsed: float) -> None:
    others = "the other is" if measured == 2 else "the 2 others are"
    message = rf"--minutes: measuring {measured} of 3 programs took .*, if {others} no slower; use --minutes 2 or more"
    with pytest.raises(UserError, match=message):
        require_time(DETECT, [SPEED] * measured, seconds, 3, elapsed)
    with pytest.raises(UserError, match="use --minutes 2 or more"):
        fit_settings(DETECT, SPEED, seconds)


@pytest.mark.parametrize(("measured", "seconds", "elapsed"), [(1, 60, 20.0), (2, 80, 20.0), (2, 100, 700.0)])
def test_measuring_goes_on_while_time_may_do(measured: int, seconds: float, elapsed: float) -> None:
    """The other programs may be faster, or the least may fit although measuring took long."""
    require_time(DETECT, [SPEED] * measured, seconds, 3, elapsed)


@pytest.mark.parametrize("others", [[SLOW] * 3, [SPEED, SLOW, SLOW], [SPEED] * 3])
def test_advised_minutes_are_enough(others: list[Speed]) -> None:
    """Also where programs that were not measured are as slow as the slowest, and the machine a sixth slower."""
    with pytest.raises(UserError) as refused:
        require_time(DETECT, [SPEED, SLOW], 30, 5, 20.0)
    advised = 60 * int(str(refused.value).split("--minutes ")[-1].split()[0])
    again = [replace(s, epoch=1.15 * s.epoch, lone_epoch=1.15 * s.lone_epoch) for s in (SPEED, SLOW, *others)]
    for count in range(1, 5):
        require_time(DETECT, again[:count], advised, 5, 20.0)
    assert sum(fit_settings(DETECT, combine_speeds(again), advised).seconds.values()) <= advised


def test_choice_is_described() -> None:
    fit = fit_settings(DETECT, SPEED, 3600)
    text = describe_fit(DETECT, SPEED, fit)
    assert f"study.trials {fit.values['study.trials']} (preset: {DETECT.study.trials})" in text
    assert text.endswith(describe_stages(fit.seconds))
