"""Every section, found by itself, says what is so in every kind of study."""

import json
import pkgutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.helpers.drawn_tables import estimate
from thalweg.artifacts.summary import Confirmation
from thalweg.reporting import sections
from thalweg.reporting.analysis import good_region
from thalweg.reporting.analysis.confirmed import build_confirmed_result
from thalweg.reporting.page.figures import Chart, EmptyFigure, Table, build_vega_spec
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sections import (
    budget,
    errors,
    find_sections,
    get_section_name,
    health,
    history,
    parameters,
    provenance,
    result,
    select_sections,
    trials,
)
from thalweg.reporting.sections.result import selection_bias
from thalweg.reporting.tables import StudyTables
from thalweg.system.files import UserError

CASES = [
    "usual",
    "no trials",
    "one trial",
    "all diverged",
    "all pruned",
    "single parameter",
    "hostile names",
    "no pictures",
    "no test",
    "classes",
    "images",
    "several terms",
]


ASKED = {get_section_name(section) for section in find_sections() if hasattr(section, "is_applicable")}
"""Sections that are not for every study."""


def test_sections_are_found_in_order() -> None:
    orders = [section.ORDER for section in find_sections()]
    assert orders == sorted(set(orders))
    assert {get_section_name(section) for section in find_sections()} == {
        file.name for file in pkgutil.iter_modules(sections.__path__)
    }
    named = [get_section_name(section) for section in find_sections()]
    assert (named[0], named[-1]) == ("result", "provenance")


def test_params_select_sections(usual: StudyTables) -> None:
    told = replace(usual, params={"report": {"sections": ["provenance", "result"]}})
    assert [get_section_name(section) for section in select_sections(told)] == ["provenance", "result"]
    assert select_sections(usual) == [section for section in find_sections() if get_section_name(section) not in ASKED]
    titles = replace(usual, params={"report": {"sections": ["Provenance", "what matters"]}})
    assert [get_section_name(section) for section in select_sections(titles)] == ["provenance", "importance"]
    twice = replace(usual, params={"report": {"sections": ["result", "Result", "result"]}})
    assert [get_section_name(section) for section in select_sections(twice)] == ["result"]
    with pytest.raises(UserError, match=r"no section 'histry'\. Available: result, trials"):
        select_sections(replace(usual, params={"report": {"sections": ["histry"]}}))


@pytest.fixture(scope="module")
def check_schema() -> Callable[[Chart], None]:
    """Check a chart against Vega-Lite's schema, which is slow: once where several are alike but for their data."""
    right: set[str] = set()

    def check(chart: Chart) -> None:
        drawn = json.dumps(chart.spec_without_data)
        if drawn not in right:
            chart.plot().to_dict()
        right.add(drawn)

    return check


@pytest.mark.parametrize("case", CASES)
def test_every_section_has_findings_and_figures(
    cases: dict[str, StudyTables], check_schema: Callable[[Chart], None], case: str
) -> None:
    tables, ids = cases[case], []
    for section in find_sections():
        for finding in section.build_findings(tables):
            assert finding.verdict.endswith(".")
            assert "nan" not in (finding.verdict + finding.evidence + finding.next_step).lower().replace(
                "</script>", ""
            )
        shown = section.build_figures(tables)
        assert shown or get_section_name(section) in ASKED, f"{get_section_name(section)} is empty"
        for each in shown:
            ids.append(each.id)
            if isinstance(each, Chart):
                assert sum(len(table) for table in each.data.values()) > 0
                check_schema(each)
                assert build_vega_spec(each, 700)["datasets"]
            if isinstance(each, Table):
                assert len(each.rows)
    assert len(ids) == len(set(ids))


def with_paired_seeds(tables: StudyTables, gap: float, spread: float = 0.02) -> StudyTables:
    """Eight paired seeds whose difference from the baseline has a mean of `gap` and is spread evenly."""
    noise = spread * np.linspace(-1, 1, 8)
    parts = [
        pd.DataFrame({"candidate": who, "trial": trial, "seed": range(8), "validation_mae": values, "test_mae": values})
        for who, trial, values in (("baseline", np.nan, np.ones(8)), ("winner", 3, 1.0 + gap + noise))
    ]
    level, apart = estimate(1.0, 0.01), estimate(gap, 2.3646 * noise.std(ddof=1) / np.sqrt(8))
    summary = replace(tables.summary, confirm=Confirmation(level, level, apart))
    return replace(tables, runs=pd.concat(parts, ignore_index=True), summary=summary)


@pytest.mark.parametrize(
    ("gap", "verdict"),
    [
        (-0.3, "The winner is clearly better than the baseline."),
        (0.3, "The baseline is clearly better than the winner on fresh seeds."),
        (0.001, "The baseline is ahead of the winner on fresh seeds, within noise."),
        (-0.001, "No clear difference between the winner and the baseline."),
    ],
)
def test_verdict_follows_interval(usual: StudyTables, gap: float, verdict: str) -> None:
    first = result.build_findings(with_paired_seeds(usual, gap))[0]
    assert first.verdict == verdict
    assert first.trials == (3,)


def test_winning_baseline_is_not_compared(usual: StudyTables) -> None:
    tables = with_paired_seeds(usual, 0.0)
    row = tables.trials[tables.trials["number"] == 3].iloc[0]
    own: dict[str, Any] = {"confirm": {"refit": "all"}}
    for parameter in tables.parameters:
        *above, last = parameter.name.split(".")
        part = own
        for step in above:
            part = part.setdefault(step, {})
        part[last] = row[parameter.name]
    found = result.build_findings(replace(tables, params=own))
    assert found[0].verdict == "The search found nothing better than the baseline."
    assert "seeds" not in found[0].next_step
    # the final model was trained on everything: its figures would flatter it
    assert found[-1].verdict == "The final model was also trained on the test set."
    own["optimizer"]["momentum"] += 0.01
    assert (
        result.build_findings(replace(tables, params=own))[0].verdict
        == "No clear difference between the winner and the baseline."
    )


def test_infeasible_trials_are_counted(usual: StudyTables) -> None:
    states = usual.trials["state"].where(usual.trials["number"] != 5, "infeasible")
    tables = replace(usual, trials=usual.trials.assign(state=states))
    assert not any("add up" in one.verdict for one in trials.build_findings(tables))
    (ends, *_) = budget.build_figures(tables)
    assert isinstance(ends, Table)
    assert ends.rows.set_index("state at the end")["trials"]["infeasible"] == 1


def test_lost_rows_are_reported(usual: StudyTables) -> None:
    (told,) = trials.build_findings(replace(usual, trials=usual.trials.head(47)))
    assert (told.verdict, told.tone) == ("The trials do not add up.", "caution")
    assert told.evidence.startswith("The table has 47 rows, the study counts 48.")


def test_selection_bias_is_named_without_test(cases: dict[str, StudyTables]) -> None:
    assert cases["no test"].split == "validation"
    assert "its value is optimistic" in result.build_findings(cases["no test"])[0].evidence
    assert "its value is optimistic" not in result.build_findings(cases["usual"])[0].evidence


def test_lucky_best_is_optimistic(usual: StudyTables) -> None:
    tables = with_paired_seeds(usual, -0.3)
    for value, verdict in ((0.4, "optimistic"), (0.7, "held up")):
        trials = tables.trials.assign(value=np.where(tables.trials["number"] == 3, value, 0.9), state="complete")
        moved = replace(tables, trials=trials)
        known = build_confirmed_result(moved)
        assert known is not None
        assert verdict in selection_bias.report_optimism(moved, known)[0].verdict


def test_narrow_range_is_reported(usual: StudyTables) -> None:
    edge = usual.trials.assign(state="complete", value=np.arange(len(usual.trials)) / 10 + 1)
    edge["optimizer.momentum"] = np.where(edge["number"] < 5, 0.98, 0.5)
    edge["optimizer.learning_rate"], edge["optimizer.clip"], edge["loss.terms.count.delta"] = 0.01, 1.0, 1.0
    told = parameters.build_findings(replace(usual, trials=edge))
    assert [finding.verdict for finding in told] == [
        "The best values of `optimizer.momentum` may lie above the searched range.",
        "5 good trials show where to search.",
    ]
    assert told[0].trials == (0, 1, 2, 3, 4)


def test_divergence_names_separating_parameter(usual: StudyTables) -> None:
    wild = usual.trials["number"] % 6 == 0
    apart = usual.trials.assign(state=np.where(wild, "diverged", "complete"))
    apart["optimizer.learning_rate"] = np.where(wild, 0.5, 0.01)
    evidence = health.build_findings(replace(usual, trials=apart))[0].evidence
    assert "They lie where `optimizer.learning_rate` is high: above" in evidence
    for parameter in ("learning_rate", "momentum", "clip"):
        apart[f"optimizer.{parameter}"] = (apart["number"] % 5 + 1) / 10
    assert "No searched parameter clearly explains" in health.build_findings(replace(usual, trials=apart))[0].evidence
    alone = apart.assign(state=np.where(apart["number"] == 6, "diverged", "complete"))
    evidence = health.build_findings(replace(usual, trials=alone))[0].evidence
    assert "One trial is too few to say where in the space trials fail. `optimizer.learning_rate` was 0.2." in evidence


def test_gaining_search_goes_on(usual: StudyTables) -> None:
    falling = usual.trials.assign(state="complete", value=3.0 - 0.04 * usual.trials["number"])
    assert "--trials 96" in history.build_findings(replace(usual, trials=falling))[0].next_step
    flat = usual.trials.assign(state="complete", value=0.7)
    unmoved = history.build_findings(replace(usual, trials=flat))[0]
    assert unmoved.verdict == "It is unclear whether more trials would help."
    flat.loc[flat["number"] == 0, "value"] = 3.0
    assert history.build_findings(replace(usual, trials=flat))[0].verdict == "The search has flattened out."


def test_bias_has_an_interval(usual: StudyTables) -> None:
    high = usual.predictions.assign(prediction=usual.predictions["prediction"] + 1.0)
    assert (
        errors.build_findings(replace(usual, predictions=high))[0].verdict == "The predictions are too high on average."
    )


def test_nothing_to_draw_is_a_sentence(cases: dict[str, StudyTables]) -> None:
    for section in (result, history, parameters, errors):
        assert all(isinstance(each, EmptyFigure) for each in section.build_figures(cases["no trials"]))


def test_bias_at_ends_without_mean_bias(usual: StudyTables) -> None:
    truth = usual.predictions["truth"]
    shrunk = usual.predictions.assign(prediction=truth.mean() + 0.5 * (truth - truth.mean()))
    verdicts = [finding.verdict for finding in errors.build_findings(replace(usual, predictions=shrunk))]
    assert verdicts[0] == "Predictions are pulled towards the middle."
    assert "no bias" in verdicts[1]


def pruned_study(usual: StudyTables, audit: float) -> StudyTables:
    """Of 48 trials that were to train 16 epochs half stopped at 4, and one of these trained on."""
    half = usual.trials["number"] % 2 == 1
    told = usual.trials.assign(
        state=np.where(half, "pruned", "complete"), value=0.7, epochs=np.where(half, 4, 16), audit=np.nan
    )
    told.loc[told["number"] == 5, ["epochs", "audit"]] = [16, audit]
    return replace(usual, trials=told)


@pytest.mark.parametrize(
    ("audit", "verdict"),
    [
        (0.9, "Early stopping lost no better trial among those checked."),
        (0.699, "Early stopping lost nothing beyond noise."),
        (0.3, "Early stopping lost a better trial."),
        (np.nan, "The cost of early stopping is unknown."),
    ],
)
def test_early_stopping_has_gain_and_cost(usual: StudyTables, audit: float, verdict: str) -> None:
    told = budget.build_findings(pruned_study(usual, audit))[0]
    assert told.verdict == verdict
    assert "276 of 768" in told.evidence
    assert told.trials == ((5,) if np.isfinite(audit) else ())


@pytest.mark.parametrize(
    ("stop", "evidence"),
    [
        ({"reason": "epochs", "limit": 500, "reached": 512}, "512 epochs were trained; the limit is 500."),
        ({"reason": "seconds", "limit": 60.0}, "ran for 60 seconds"),
        ({"reason": "gain", "limit": 0.05, "reached": 0.012}, "by 0.012 each, less than the 0.05"),
    ],
)
def test_stopped_search_says_why(usual: StudyTables, stop: dict[str, Any], evidence: str) -> None:
    complete = usual.trials.assign(state="complete")
    params = {**usual.params, "study": {**usual.params["study"], "trials": 96}}
    summary = replace(usual.summary, study=replace(usual.summary.study, stop={"cohort": 8, **stop}))
    tables = replace(usual, trials=complete, params=params, summary=summary)
    told = budget.build_findings(tables)[0]
    assert told.verdict == "The search stopped early, after 48 of 96 trials."
    assert evidence in told.evidence
    assert told.next_step == ""
    falling = complete.assign(value=3.0 - 0.04 * complete["number"])
    told = budget.build_findings(replace(tables, trials=falling))[0]
    assert told.next_step == f"Continue the search: loosen `study.stop.{stop['reason']}` and start again."


def test_full_study_has_no_budget_finding(usual: StudyTables) -> None:
    complete = usual.trials.assign(state="complete")
    assert budget.build_findings(replace(usual, trials=complete, curves=pd.DataFrame())) == []


def test_numeric_class_names_are_classes(cases: dict[str, StudyTables]) -> None:
    digits = {name: str(place) for place, name in enumerate(sorted(set(cases["classes"].predictions["truth"])))}
    told = cases["classes"].predictions.replace(digits)
    tables = replace(cases["classes"], predictions=told, manifest=cases["classes"].manifest | {"classes": []})
    assert errors.build_findings(tables)[0].verdict.startswith("The most frequent error predicts")
    assert any(
        chart.title == "Truth against prediction" for chart in errors.build_figures(tables) if isinstance(chart, Chart)
    )


def test_perfect_classes_have_no_confusion(cases: dict[str, StudyTables]) -> None:
    predictions = cases["classes"].predictions.assign(prediction=cases["classes"].predictions["truth"])
    told = errors.build_findings(replace(cases["classes"], predictions=predictions))
    assert not any("error" in one.verdict for one in told)


def test_wide_end_is_not_crowded(usual: StudyTables) -> None:
    """Of a whole number from 1 to 3 each end is a third: half of the best trials at one is chance."""
    parameter = SearchedParameter("layers", 1, 3, whole=True)
    assert good_region.chance_at_end(parameter, "low") == pytest.approx(1 / 3)
    few = usual.trials.assign(state="complete", value=np.arange(len(usual.trials)) / 10 + 1)
    few["layers"] = np.where(few["number"] < 3, 1, 2)
    told = parameters.build_findings(replace(usual, trials=few, space=[parameter]))
    assert told
    assert not any("range" in one.verdict for one in told)


def test_faults_are_not_examples(usual: StudyTables) -> None:
    points = [
        {"name": "a.png", "where": f"points.csv:{line}", "reason": "`x` is not a number: far"} for line in (2, 3, 4)
    ]
    again = {"name": "b.png", "where": "labels.csv:5", "reason": "this image already has a row at labels.csv:3"}
    orphan = {"name": "d.png", "where": "points.csv:9", "reason": "this image has no row in labels.csv"}
    manifest = {"examples": {"train": 1, "validation": 1, "test": 0}, "excluded": [*points, again, orphan]}
    (told,) = provenance.build_findings(replace(usual, manifest=manifest))
    assert told.verdict == "1 example could not be used."
    assert told.evidence.startswith("5 faults in the source:")
    assert "1 of 3 examples (33 %)" in told.evidence
    assert "artifacts/prepared/manifest.json" in told.next_step
    (told,) = provenance.build_findings(replace(usual, manifest=manifest | {"excluded": [again, orphan]}))
    assert told.verdict == "The data has faults, but every example was used."


def test_constant_networks_name_common_cause(usual: StudyTables) -> None:
    stuck = usual.trials["number"] % 6 == 0
    told = usual.trials.assign(state="complete", value=1.0 + usual.trials["number"] / 100)
    told["value"] = told["value"].where(~stuck, 5.258373)
    told.loc[12, "value"] = 5.258368
    told["optimizer.learning_rate"] = np.where(stuck, 0.5, 0.01)
    flat = usual.curves["trial"].map(told["value"].where(stuck).where(told.index != 12, 5.258368))
    curves = usual.curves.assign(mae=flat.fillna(usual.curves["mae"]))
    first, second = health.build_findings(replace(usual, trials=told, curves=curves))
    assert first.verdict == "8 trials learned nothing."
    assert first.trials == (0, 6, 12, 18, 24, 30, 36, 42)
    assert "They lie where `optimizer.learning_rate` is high: above" in first.evidence
    assert second.verdict == "No trial diverged."
    # ends that are alike by chance, as where examples are counted, are no such networks
    assert health.build_findings(replace(usual, trials=told))[0].verdict == "No trial diverged."
    apart = told.assign(value=1.0 + told["number"] / 100)
    assert health.build_findings(replace(usual, trials=apart))[0].verdict == "No trial diverged."


def test_two_groups_prove_nothing(usual: StudyTables) -> None:
    high = usual.predictions.assign(prediction=usual.predictions["truth"] + 1.0)
    high["group"] = np.where(high.index % 2, "a", "b")
    assert errors.build_findings(replace(usual, predictions=high)) == []
