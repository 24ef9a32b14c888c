"""What the errors of the predictions say."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.helpers.verdicts import list_verdicts
from thalweg.reporting.page.figures import Chart
from thalweg.reporting.sections import (
    errors,
)
from thalweg.reporting.tables import StudyTables


def test_bias_has_an_interval(counting_study: StudyTables) -> None:
    high = counting_study.predictions.assign(prediction=counting_study.predictions["prediction"] + 1.0)
    assert (
        errors.build_findings(replace(counting_study, predictions=high))[0].verdict
        == "The predictions are too high on average."
    )


@pytest.mark.parametrize(
    ("shift", "step"),
    [
        (-1.0, "Lower `task.threshold` (0.3), from which a detection counts, or raise the weight of `missed`."),
        (1.0, "Raise `task.threshold` (0.3), from which a detection counts, or raise the weight of `false_alarms`."),
    ],
)
def test_number_of_detections_leads_to_the_threshold(counting_study: StudyTables, shift: float, step: str) -> None:
    predictions = counting_study.predictions.assign(prediction=counting_study.predictions["truth"] + shift)
    params = counting_study.params | {"task": {"kind": "detect", "threshold": 0.3}}
    finding = errors.build_findings(replace(counting_study, predictions=predictions, params=params))[0]
    assert finding.next_step == step


def test_bias_at_ends_without_mean_bias(counting_study: StudyTables) -> None:
    truth = counting_study.predictions["truth"]
    shrunk = counting_study.predictions.assign(prediction=truth.mean() + 0.5 * (truth - truth.mean()))
    verdicts = list_verdicts(errors, replace(counting_study, predictions=shrunk))
    assert verdicts[0] == "Predictions are pulled towards the middle."
    assert "no bias" in verdicts[1]


def test_numeric_class_names_are_classes(studies_by_case: dict[str, StudyTables]) -> None:
    digits = {
        name: str(place) for place, name in enumerate(sorted(set(studies_by_case["classes"].predictions["truth"])))
    }
    predictions = studies_by_case["classes"].predictions.replace(digits)
    tables = replace(
        studies_by_case["classes"],
        predictions=predictions,
        manifest=studies_by_case["classes"].manifest | {"classes": []},
    )
    finding = errors.build_findings(tables)[0]
    assert finding.verdict.startswith("The most frequent error predicts")
    assert finding.next_step.endswith(": `artifacts/confirm/predictions.csv` names them.")
    prediction, truth = finding.verdict.rstrip(".").split()[-4::3]
    shown = replace(
        tables, pictures=[{"truth": truth, "prediction": prediction}, {"truth": truth, "prediction": truth}]
    )
    step = errors.build_findings(shown)[0].next_step
    assert " The section Errors shows 1 of " in step
    assert any(
        chart.title == "Truth against prediction" for chart in errors.build_figures(tables) if isinstance(chart, Chart)
    )


def test_perfect_classes_have_no_confusion(studies_by_case: dict[str, StudyTables]) -> None:
    predictions = studies_by_case["classes"].predictions.assign(
        prediction=studies_by_case["classes"].predictions["truth"]
    )
    findings = errors.build_findings(replace(studies_by_case["classes"], predictions=predictions))
    assert not any("error" in finding.verdict for finding in findings)


def test_two_groups_prove_nothing(counting_study: StudyTables) -> None:
    high = counting_study.predictions.assign(prediction=counting_study.predictions["truth"] + 1.0)
    high["group"] = np.where(high.index % 2, "a", "b")
    assert errors.build_findings(replace(counting_study, predictions=high)) == []


@pytest.mark.parametrize(
    ("changes", "networks"),
    [
        ({}, "are those of the final model: the winner's network with the best seed by validation."),
        (
            {"confirm": {"members": 2}},
            "are those of the final model: means over the winner's 2 networks, with the best seeds",
        ),
        ({"data": {"split": {"by": "folds"}}}, "the winner's 5 networks (1 seed, 5 folds), with the best seed by"),
        ({"confirm": {"members": 8}}, "means over the winner's 8 networks. The"),
        (
            {"confirm": {"refit": "all"}},
            "come from before `confirm.refit` trained the final model: the winner's network",
        ),
    ],
)
def test_predictions_name_their_networks(counting_study: StudyTables, changes: dict[str, Any], networks: str) -> None:
    tables = replace(counting_study, params=counting_study.params | changes)
    assert any(networks in finding.evidence for finding in errors.build_findings(tables))


@pytest.mark.parametrize(("names", "angle"), [(["0", "1"], 0), (["cat", "dog"], 0), (["adult", "child"], -40)])
def test_short_names_stand_upright(names: list[str], angle: int) -> None:
    drawn = errors._plot_confusion(names).to_dict()
    assert drawn["layer"][0]["encoding"]["x"]["axis"]["labelAngle"] == angle
