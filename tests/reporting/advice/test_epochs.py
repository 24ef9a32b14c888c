"""How many trials, epochs and seeds are advised: each in one way, whatever several sections find."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.helpers import planted_studies as planted
from tests.helpers.planted_causes import HEALTHY, PLANTED
from tests.helpers.planted_studies import RATE, World
from thalweg.reporting.advice import epochs, more_seeds, more_trials, search_space
from thalweg.reporting.sections import curves, health, history
from thalweg.reporting.tables import Tables

KIND = {"name": "kind", "type": "categorical", "choices": ["l1", "l2"], "role": "scientific"}
LONG, SHORT = (PLANTED[f"training too {way}"].world for way in ("long", "short"))


def winning(tables: Tables, *best: int) -> Tables:
    """The winner was at its best at these epochs, one a fresh seed."""
    own = tables.runs["candidate"] == "winner"
    return replace(tables, runs=tables.runs[own].head(len(best)).assign(best_epoch=best))


def test_the_winner_decides_how_long_training_is_to_be() -> None:
    tables = planted.study(LONG, 0)
    assert epochs.way(winning(tables, *[3] * 8)) == "fewer"
    late = winning(tables, *[20] * 8)
    assert epochs.way(late) == "try"
    assert [one.step for one in health.findings(late) if "first tenth" in one.verdict] == [""]
    assert epochs.regularize(late).startswith("Regularize: ")
    assert epochs.way(winning(tables, *[16] * 8)) == "fewer"  # long enough: then most trials decide


def test_what_most_trials_gain_is_not_left_to_be_tried() -> None:
    tables = planted.study(SHORT, 0)
    assert epochs.way(winning(tables, *[16] * 3, *[13] * 5)) == "more"


def test_fewer_epochs_keep_the_best_of_the_winner_on_every_seed() -> None:
    tables = winning(planted.study(LONG, 0), 3, 3, 3, 3, 3, 3, 3, 9)
    (told,) = curves.findings(tables)
    assert told.step.startswith("Train for fewer epochs (`training.epochs: 9`), or regularize: more images, ")
    far = winning(tables, 3, 3, 3, 3, 3, 3, 3, 20)
    assert [one.step for one in curves.findings(far)] == [""]  # of the winner itself nothing says so
    (most,) = (one.step for one in health.findings(far) if "first tenth" in one.verdict)
    assert most.startswith("Train for fewer epochs (`training.epochs`), or")


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        ({"training": {"validate_every": 5}}, 10),
        ({"study": {"prune": {"first": 10}}}, 11),
        ({"study": {"prune": {"first": 9}}, "training": {"validate_every": 2}}, 10),
        ({"schedule": {"warmup": 9.5}}, 10),
    ],
)
def test_fewer_epochs_are_so_many_as_the_file_bears(part: dict[str, dict[str, Any]], wanted: int) -> None:
    tables = winning(planted.study(LONG, 0), 3, 3, 3, 3, 3, 3, 3, 9)
    params = tables.params | {name: tables.params.get(name, {}) | more for name, more in part.items()}
    (told,) = curves.findings(replace(tables, params=params))
    assert f"`training.epochs: {wanted}`" in told.step


def test_what_does_harm_is_not_advised(usual: Tables) -> None:
    worse = usual.less["validation_mae"].where(usual.less["what"] != "augmentation", 0.1)
    tables = replace(usual, less=usual.less.assign(validation_mae=worse))
    assert "augmentation" in epochs.regularize(usual)
    assert "augmentation" not in epochs.regularize(tables)


def test_epochs_of_their_own_settings_are_told_apart() -> None:
    tables = winning(planted.study(LONG, 0), *[40] * 8)
    longer = replace(tables, params=tables.params | {"confirm": {"epochs": 40}})
    assert (epochs.way(longer), epochs.way(longer, "confirm.epochs")) == ("fewer", "try")
    assert curves.findings(longer)[0].step.startswith("Only runs with more `confirm.epochs` than 40")


def asking(tables: Tables, few: int) -> Tables:
    """The study asks for a choice, of which so many trials have a value that is far behind."""
    kind = np.where(tables.trials["number"] < few, "l1", "l2")
    value = tables.trials["value"].where(kind == "l2", tables.trials["value"] + 1)
    return replace(tables, trials=tables.trials.assign(kind=kind, value=value),
                   space=[*tables.space, KIND])  # fmt: skip


def test_a_flat_search_is_not_told_to_stop_where_a_question_is_open() -> None:
    tables = planted.study(HEALTHY, 0)
    assert more_trials.step(tables).startswith("More trials alike are unlikely to help")
    open_ = asking(tables, 2)
    assert history.findings(open_)[0].verdict == "The search has flattened out."
    assert more_trials.step(open_).startswith("For better values, change what is not searched yet")
    assert more_trials.step(asking(tables, 12)).startswith("More trials alike are unlikely to help")


def test_a_search_that_gains_is_told_to_go_on() -> None:
    tables = planted.study(World(hidden=0.8, seed_noise=0.004, jitter=0.001), 0)
    assert more_trials.step(tables) == "Go on: `thalweg study --trials 96`."
    assert search_space.step(tables).startswith("Once the search gains no more, search `")
    stopped = replace(tables, summary=tables.summary | {"study": {"stop": {"reason": "epochs"}}})
    assert more_trials.step(stopped) == "Go on: loosen `study.stop.epochs` and start again."


def test_a_search_that_gains_at_the_end_of_a_range_goes_on_beyond_it() -> None:
    tables = planted.study(HEALTHY, 0, 96, sampler="tpe")
    number, rate = tables.trials["number"], tables.trials[RATE]
    late = tables.trials.assign(value=3.0 - 0.02 * number, **{RATE: rate.where(number < 80, 0.099)})
    falling = replace(tables, trials=late)
    assert history.findings(falling)[0].verdict == "The search was still gaining when it ended."
    assert search_space.widens(falling)
    assert more_trials.step(falling) == search_space.step(falling)
    assert search_space.step(falling).startswith("Next, search `")


@pytest.mark.parametrize(
    ("confirmed", "raised"), [(8, "Raise `diagnose.seeds`"), (4, "Raise `confirm.seeds` and `diagnose.seeds`")]
)
def test_seeds_of_the_diagnosis_are_of_those_that_are_confirmed(usual: Tables, confirmed: int, raised: str) -> None:
    params = usual.params | {"confirm": {"seeds": confirmed}, "diagnose": {"seeds": 4}}
    assert more_seeds.of_diagnosis(replace(usual, params=params)).startswith(raised)


def test_four_times_the_seeds_halve_the_noise(usual: Tables) -> None:
    params = usual.params | {"study": {"seeds": 3}}
    assert more_seeds.of_trials(replace(usual, params=params)).startswith("`study.seeds: 12` would halve")


def test_what_has_flattened_out_leaves_the_step_to_what_still_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = planted.study(HEALTHY, 0)
    monkeypatch.setattr(more_trials, "step", lambda _: "Go on.")
    monkeypatch.setattr(more_trials, "gaining", lambda _: True)
    assert [more_trials.where(tables, grows) for grows in (True, False)] == ["Go on.", ""]
    monkeypatch.setattr(more_trials, "gaining", lambda _: False)
    assert more_trials.where(tables, grows=False) == "Go on."
