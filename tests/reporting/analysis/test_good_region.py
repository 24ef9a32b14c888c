"""Where the best lie, at ends of ranges and as a space to search next."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from ruamel.yaml import YAML

from tests.helpers.five_parameters import let_all_matter
from thalweg.config.study import ParameterConfig
from thalweg.reporting.advice import next_space, search_space, space_yaml
from thalweg.reporting.advice.next_space import NextParameter
from thalweg.reporting.analysis import good_region
from thalweg.reporting.analysis.scientific_verdict import ScientificVerdict
from thalweg.reporting.page.figures import Chart
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sections import parameters
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_choices

RATE = SearchedParameter("rate", 1e-4, 1.0, log=True)
SHARE = SearchedParameter("share", 0.0, 0.9)
KIND = SearchedParameter("kind", choices=("l1", "l2", "no"))
UNITS = SearchedParameter("units", 1, 9, whole=True)


@pytest.fixture(autouse=True)
def all_parameters_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    let_all_matter(monkeypatch)


def build_region_study(counting_study: StudyTables, count: int = 60, **best: Any) -> StudyTables:
    """Trials with values from 1 up; the first six have the `best` parameters, the others lie all over."""
    draw = np.random.default_rng(0)
    trials = pd.DataFrame({"number": range(count), "state": "complete", "value": 1 + np.arange(count) / count})
    trials["rate"] = 10 ** draw.uniform(-4, 0, count)
    trials["share"] = draw.uniform(0, 0.9, count)
    trials["kind"] = draw.choice(["l1", "l2", "no"], count)
    trials["units"] = draw.integers(1, 10, count)
    for name, values in best.items():
        trials.loc[trials.index[:6], name] = values
    return replace(counting_study, trials=trials, runs=pd.DataFrame(), space=[RATE, SHARE, KIND, UNITS])


def get_good_range(tables: StudyTables, name: str, widened: str = "") -> SearchedParameter:
    """The range of a parameter around its good values."""
    (parameter,) = (parameter for parameter in tables.space if parameter.name == name)
    return good_region.build_next_range(parameter, good_region.select_good_trials(tables)[name], widened)


BEST: dict[str, Any] = {"rate": [0.01, 0.011, 0.012, 0.02, 0.03, 0.04], "share": [0.5, 0.52, 0.55, 0.6, 0.62, 0.7],
        "kind": ["l2"] * 6, "units": [3, 4, 4, 5, 5, 5]}  # fmt: skip


def test_relative_positions_span_range() -> None:
    values = pd.Series([1e-4, 1e-2, 1.0])
    assert RATE.relative_position(values).tolist() == pytest.approx([0, 0.5, 1])
    assert [RATE.value_at(place) for place in (0, 0.5, 1)] == pytest.approx(values.tolist())
    assert SHARE.value_at(0.5) == pytest.approx(0.45)


def test_next_space_has_a_margin(counting_study: StudyTables) -> None:
    rate, share, units = (
        get_good_range(build_region_study(counting_study, **BEST), name) for name in ("rate", "share", "units")
    )
    # the range of six falls short of an even draw's by 2 / 7 of it: a fifth more on each side
    assert (rate.low, rate.high) == pytest.approx((0.01 / 4**0.2, 0.04 * 4**0.2), rel=0.1)
    assert (share.low, share.high) == pytest.approx((0.46, 0.74))
    assert (units.low, units.high) == (2, 6)


def test_crowded_end_moves_out(counting_study: StudyTables) -> None:
    tables = build_region_study(counting_study, **BEST)
    assert get_good_range(tables, "rate", "high").high == pytest.approx(10)  # not by half of four decades
    assert get_good_range(tables, "share", "high").high == pytest.approx(0.95)  # what is a share stays below 1
    assert get_good_range(tables, "share", "low").low == 0.0


def test_momentum_stays_below_one(counting_study: StudyTables) -> None:
    """OptimizerPart wants a momentum below 1."""
    for high, wanted in ((0.99, 0.995), (0.999, 0.9995), (0.9, 0.95), (0.5, 0.75)):
        near = replace(SHARE, high=high)
        tables = replace(build_region_study(counting_study, share=np.linspace(high - 0.02, high, 6)), space=[near])
        next_one = get_good_range(tables, "share", "high")
        assert next_one.high == pytest.approx(wanted)
        assert next_one.high < 1


def test_integer_log_range_has_no_overshoot(counting_study: StudyTables) -> None:
    for low, high in ((8, 512), (3, 243), (5, 320), (7, 1000), (1, 10**6)):
        units = replace(UNITS, low=low, high=high, log=True)
        tables = replace(
            build_region_study(counting_study, units=[low, low + 1, high - 1, high, high, high]), space=[units]
        )
        good = get_good_range(tables, "units")
        assert (good.low, good.high) == (low, high)
    below = replace(build_region_study(counting_study, units=[1, 1, 1, 2, 2, 3]), space=[replace(UNITS, log=True)])
    assert get_good_range(below, "units", "low").low == 1


def test_only_what_matters_is_narrowed(counting_study: StudyTables, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = build_region_study(counting_study, **BEST)
    monkeypatch.setattr(next_space, "list_important_parameters", lambda _: ["rate"])
    rate, *others = [step.searched for step in next_space.build_next_space(tables)]
    assert rate != RATE
    assert others == [SHARE, KIND, UNITS]
    bounds = {"high": 0.05}
    assert good_region.narrow_parameter(RATE, tables.trials, is_important=False, failure_bounds=bounds).high == 0.05
    assert good_region.narrow_parameter(KIND, tables.trials.head(6), is_important=True).choices == ("l2",)


def test_uncrowded_end_is_kept(counting_study: StudyTables) -> None:
    near = build_region_study(counting_study, rate=[1.2e-4, 2e-4, 3e-4, 4e-4, 5e-4, 6e-4])
    assert get_good_range(near, "rate").low == 1e-4


def test_range_ends_at_failures() -> None:
    good = pd.Series([0.01, 0.02, 0.1])
    for bound, high in ((0.3, 0.3), (0.05, 0.1), (0.1, 0.1)):
        assert good_region.build_next_range(RATE, good, "high", {"high": bound}).high == pytest.approx(high)
    assert good_region.build_next_range(RATE, good, "", {"low": 0.005}).low == pytest.approx(0.005)
    # where good trials are not known, what is lost is left out all the same, and the other end stays
    bare = good_region.build_next_range(RATE, good.head(0), "", {"high": 0.05})
    assert (bare.low, bare.high) == pytest.approx((1e-4, 0.05))


def test_crossing_bounds_are_ignored() -> None:
    none = pd.Series(dtype=float)
    assert good_region.build_next_range(RATE, none, failure_bounds={"high": 0.02, "low": 0.1}) == RATE


def test_fractions_stay_in_0_to_1() -> None:
    chance = replace(SHARE, high=1.0)
    top = good_region.build_next_range(chance, pd.Series([0.9, 0.95, 0.97, 0.99, 1.0]), "high")
    assert (top.low > 0.8, top.high) == (True, 1.0)
    few = good_region.build_next_range(UNITS, pd.Series([1.0, 1.0, 2.0, 2.0, 3.0]), "low")
    assert few.low == 1


def test_trials_inside_region(counting_study: StudyTables) -> None:
    tables = build_region_study(counting_study, **BEST)
    space = [parameter.searched for parameter in next_space.build_next_space(tables)]
    within = good_region.is_inside_space(tables.trials, space)
    assert within[:6].all()
    assert not within.all()
    absent = tables.trials.assign(share=np.nan)
    assert good_region.is_inside_space(absent, space)[:6].all()


@pytest.mark.parametrize("count", [6, 4])
def test_range_ignores_dropped_choices(
    counting_study: StudyTables, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """A rate is good for the loss that stays, or else, if too few trials have this loss, for all good trials."""
    tables = build_region_study(counting_study, 120, rate=[0.01, 0.011, 0.012, 0.02, 0.03, 0.04])
    kinds = np.where(np.arange(120) < count, "l2", "l1")
    trials = tables.trials.assign(kind=kinds)
    trials.loc[trials.index[6:12], "rate"] = 0.3
    verdict = ScientificVerdict("alike", None, (), (), ("l2",), (), {})
    monkeypatch.setattr(next_space, "list_scientific", lambda _: [KIND])
    monkeypatch.setattr(next_space, "judge_parameter", lambda *_: verdict)
    rate, *_ = next_space.build_next_space(replace(tables, trials=trials))
    assert (rate.searched.high < 0.1) == (count == 6)


def test_trials_outside_fixed_choice(counting_study: StudyTables) -> None:
    """A fixed choice leaves out the trials with other values; a fixed range mattered little and leaves out none."""
    trials = counting_study.trials
    choice = next_space.NextParameter(KIND, fixed="l2")
    is_l2 = pd.Series(trials["number"] % 2 == 0)
    trials = trials.assign(kind=is_l2.map({True: "l2", False: "l1"}), share=0.5)
    assert good_region.is_inside_space(trials, [choice.trial_values]).tolist() == is_l2.tolist()
    share = next_space.NextParameter(SHARE, fixed=0.123)
    assert good_region.is_inside_space(trials, [share.trial_values]).all()


def test_next_space_is_valid_yaml(counting_study: StudyTables) -> None:
    tables = build_region_study(counting_study, **BEST | {"kind": ["l2", "no"] * 3})
    lines = space_yaml.format_space(next_space.build_next_space(tables))
    space = YAML(typ="safe").load("\n".join(lines))["space"]
    assert space["kind"] == {"choices": ["l2", "no"]}
    assert set(space) == {"rate", "share", "kind", "units"}
    for entry in space.values():
        ParameterConfig.model_validate(entry)
    assert isinstance(space["units"]["low"], int)


def test_settled_choice_is_fixed(counting_study: StudyTables) -> None:
    space = [RATE, KIND, replace(SHARE, when={"kind": ("l1",)}), replace(UNITS, when={"kind": ("l2", "no")})]
    steps = next_space.build_next_space(replace(build_region_study(counting_study, **BEST), space=space))
    lines = space_yaml.format_space(steps)
    assert space_yaml.list_settings(steps) == [("kind: l2", "all good trials have it")]
    assert not any("share" in line or "when" in line for line in lines)
    assert any("units" in line for line in lines)


def test_fixed_value_drops_dependents() -> None:
    fixed = [
        NextParameter(KIND, "l2", "it mattered little"),
        NextParameter(replace(SHARE, when={"kind": ("l1",)})),
        NextParameter(replace(UNITS, when={"kind": ("l2",)})),
    ]
    lines = space_yaml.format_space(fixed)
    assert space_yaml.list_settings(fixed) == [("kind: l2", "it mattered little")]
    assert not any("share" in line or "when" in line for line in lines)
    assert any("units" in line for line in lines)


def test_dropped_choice_drops_dependents(counting_study: StudyTables) -> None:
    space = [RATE, KIND, replace(SHARE, when={"kind": ("l1",)})]
    best = BEST | {"kind": ["l2", "no"] * 3}
    lines = space_yaml.format_space(
        next_space.build_next_space(replace(build_region_study(counting_study, **best), space=space))
    )
    assert "    kind: {choices: [l2, 'no']}" in lines
    assert not any("share" in line or "nuisance" in line for line in lines)


def test_page_shows_good_region(counting_study: StudyTables) -> None:
    finding = parameters.build_findings(build_region_study(counting_study, **BEST))[-1]
    assert finding.verdict == "6 good trials show where to search."
    assert finding.trials == (0, 1, 2, 3, 4, 5)
    assert parameters.build_figures(build_region_study(counting_study, **BEST))[-1].id == "next-space"
    assert parameters.build_figures(build_region_study(counting_study, count=9))[-1].id != "next-space"


def test_unchanged_space_is_called_so(counting_study: StudyTables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_space, "advise_search", lambda _: "")
    finding = parameters.build_findings(build_region_study(counting_study, **BEST))[-1]
    assert finding.verdict == "6 good trials show no need for another search space."
    assert finding.evidence.startswith("The present one holds ")


def test_close_choices_are_distinct(counting_study: StudyTables) -> None:
    near = SearchedParameter("kind", choices=(0.12341, 0.12349, 8))
    tables = build_region_study(counting_study)
    trials = tables.trials.assign(kind=np.where(tables.trials["number"] < 6, 0.12341, 0.12349))
    tables = replace(tables, trials=trials, space=[near])
    (parameter,) = next_space.build_next_space(tables)
    assert parameter.remaining_values == (0.12341,)
    assert good_region.is_inside_space(trials, [parameter.searched]).sum() == 6
    assert near.choice_indices(pd.Series([0.12349, "8", 8.0, None])).tolist() == [1, 2, 2, -1]
    assert format_choices(near.choices) == ["0.1234", "0.1235", "8"]
    chart = parameters.build_figures(tables)[0]
    assert isinstance(chart, Chart)
    assert set(chart.data["points"]["at"]) == {"0.1234", "0.1235"}


@pytest.mark.parametrize(("low", "high"), [(1, 8), (2, 64), (16, 20)])
def test_chance_at_integer_log_end(low: int, high: int) -> None:
    parameter = SearchedParameter("units", low, high, log=True, whole=True)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    draws = [study.ask().suggest_int("units", low, high, log=True) for _ in range(1500)]
    for side in ("low", "high"):
        places = [math.log(draw / low) / math.log(high / low) for draw in draws]
        near = sum(place < 0.1 if side == "low" else place > 0.9 for place in places) / len(draws)
        assert good_region.chance_at_end(parameter, side) == pytest.approx(near, abs=4 * math.sqrt(0.25 / len(draws)))


def test_chance_at_end() -> None:
    parameter = SearchedParameter("units", 1, 8, log=True, whole=True)
    assert good_region.chance_at_end(parameter, "low") == pytest.approx(math.log(3) / math.log(17))
    assert good_region.chance_at_end(parameter, "high") == pytest.approx(math.log(17 / 13) / math.log(17))  # 7 and 8
    assert good_region.chance_at_end(SearchedParameter("rate", 1.0, 8.0), "low") == 0.1
