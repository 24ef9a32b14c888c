"""Whether more trials are advised: in one way, whatever several sections find."""

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers import planted_studies as planted
from tests.helpers.planted_causes import HEALTHY
from tests.helpers.planted_studies import RATE, World
from thalweg.reporting.advice import more_trials, search_space
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sections import history
from thalweg.reporting.tables import StudyTables

KIND = SearchedParameter("kind", choices=("l1", "l2"), role="scientific")


def build_scientific_study(tables: StudyTables, few: int) -> StudyTables:
    """The study asks for a choice, of which so many trials have a value that is far behind."""
    kind = np.where(tables.trials["number"] < few, "l1", "l2")
    value = tables.trials["value"].where(kind == "l2", tables.trials["value"] + 1)
    return replace(tables, trials=tables.trials.assign(kind=kind, value=value),
                   space=[*tables.space, KIND])  # fmt: skip


def test_flat_search_with_open_question_goes_on() -> None:
    tables = planted.draw_study(HEALTHY, 0)
    assert more_trials.advise_trials(tables).startswith("More trials of the same kind are unlikely to help")
    open_ = build_scientific_study(tables, 2)
    assert history.build_findings(open_)[0].verdict == "The search has flattened out."
    assert more_trials.advise_trials(open_).startswith("For better values, change something that is not searched yet")
    assert more_trials.advise_trials(build_scientific_study(tables, 12)).startswith(
        "More trials of the same kind are unlikely to help"
    )


def test_gaining_search_goes_on() -> None:
    tables = planted.draw_study(World(hidden=0.8, seed_noise=0.004, jitter=0.001), 0)
    assert more_trials.advise_trials(tables) == "Continue the search: `thalweg study --trials 96`."
    assert search_space.advise_search(tables).startswith("Once the search stops improving, search `")
    study = replace(tables.summary.study, stop={"reason": "epochs"})
    stopped = replace(tables, summary=replace(tables.summary, study=study))
    assert more_trials.advise_trials(stopped) == "Continue the search: loosen `study.stop.epochs` and start again."


def test_gaining_search_widens_range() -> None:
    tables = planted.draw_study(HEALTHY, 0, 96, sampler="tpe")
    number, rate = tables.trials["number"], tables.trials[RATE]
    late = tables.trials.assign(value=3.0 - 0.02 * number, **{RATE: rate.where(number < 80, 0.099)})
    falling = replace(tables, trials=late)
    assert history.build_findings(falling)[0].verdict == "The search was still gaining when it ended."
    assert search_space.has_widened_range(falling)
    assert more_trials.advise_trials(falling) == search_space.advise_search(falling)
    assert search_space.advise_search(falling).startswith("Next, search `")


def test_advice_follows_what_still_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = planted.draw_study(HEALTHY, 0)
    monkeypatch.setattr(more_trials, "advise_trials", lambda _: "Go on.")
    monkeypatch.setattr(more_trials, "is_search_gaining", lambda _: True)
    assert [more_trials.advise_growing_measure(tables, grows) for grows in (True, False)] == ["Go on.", ""]
    monkeypatch.setattr(more_trials, "is_search_gaining", lambda _: False)
    assert more_trials.advise_growing_measure(tables, is_growing=False) == "Go on."
