"""Where the winner is wrong: groups that stand out, confidence that is not what it says."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.helpers import planted_studies as planted
from tests.helpers.planted_studies import World, study
from thalweg.reporting.analysis.calibration import reliability
from thalweg.reporting.analysis.groups import by_group, standing_out
from thalweg.reporting.page.figures import Chart
from thalweg.reporting.sections import errors
from thalweg.reporting.sections.errors import by_group as group_section
from thalweg.reporting.sections.errors import calibration
from thalweg.reporting.tables import Tables


def test_a_group_is_held_against_the_spread_of_the_others() -> None:
    # means e^0, e^0.1, e^-0.1, e^1, all examples alike: the others' logarithms 0, 0.1, -0.1 have a deviation of 0.1
    rows = [
        (name, float(np.exp(log))) for name, log in zip("abcd", (0.0, 0.1, -0.1, 1.0), strict=True) for _ in range(6)
    ]
    predictions = pd.DataFrame(rows, columns=["group", "error"]).assign(image="x")
    table = by_group(predictions)
    assert table["group"].tolist() == ["d", "b", "a", "c"]
    (out,) = standing_out(table).to_dict("records")
    assert out["group"] == "d"
    assert out["ratio"] == pytest.approx(np.e)
    # t(2, 1 - 0.05 / 4) = 6.2053 times 0.1 sqrt(1 + 1 / 3)
    assert np.log(out["to_ratio"]) == pytest.approx(1 + 6.2053 * 0.1 * np.sqrt(4 / 3), abs=1e-3)
    nearer = predictions.assign(error=np.where(predictions["group"] == "d", np.exp(0.6), predictions["error"]))
    assert standing_out(by_group(nearer)).empty


@pytest.mark.parametrize(("groups", "size"), [(4, 100), (12, 20), (40, 6)])
def test_no_group_stands_out_by_chance(groups: int, size: int) -> None:
    rng, times, called = np.random.default_rng(groups), 150, 0
    names = np.repeat([f"g{i:02d}" for i in range(groups)], size)
    for _ in range(times):
        level = np.exp(rng.normal(0, 0.2, groups)).repeat(size)
        errors = level * np.abs(rng.normal(size=groups * size))
        called += len(standing_out(by_group(pd.DataFrame({"image": "x", "group": names, "error": errors})))) > 0
    assert called <= 0.05 * times + 3 * np.sqrt(0.05 * 0.95 * times)


def test_few_examples_or_groups_say_nothing(usual: Tables) -> None:
    few = usual.predictions.assign(group=usual.predictions.index.map(lambda i: f"{i % 3}"))
    assert by_group(few).empty
    assert by_group(usual.predictions.assign(group="")).empty
    assert group_section.charts(replace(usual, predictions=few)) == []
    perfect = usual.predictions.assign(error=0.0)
    assert group_section.findings(replace(usual, predictions=perfect)) == []
    (chart,) = group_section.charts(replace(usual, predictions=perfect))
    assert isinstance(chart, Chart)


def test_errors_count_by_their_size_and_the_worst_group_is_first(usual: Tables) -> None:
    (chart,) = group_section.charts(usual)
    assert isinstance(chart, Chart)
    drawn = chart.data["groups"]
    mean = usual.predictions["error"].abs().groupby(usual.predictions["group"]).mean()
    assert drawn["mean"].tolist() == pytest.approx(mean.sort_values(ascending=False).tolist())
    assert (drawn["low"] >= 0).all()
    assert chart.id in [one.id for one in errors.charts(usual)]


def test_the_calibration_error_is_that_of_its_definition() -> None:
    # two bins: 0.55 to 0.6 holds 60 of which 30 are right, 0.95 to 1 holds 40, all right
    table = pd.DataFrame({"image": range(100), "confidence": [0.58] * 60 + [0.96] * 40, "prediction": "a", "group": ""})
    table["truth"] = ["a"] * 30 + ["b"] * 30 + ["a"] * 40
    known = reliability(table.astype({"image": str}))
    assert known is not None
    assert known.error.mean == pytest.approx(0.6 * 0.08 + 0.4 * 0.04)
    assert known.over is not None
    assert known.over.mean == pytest.approx(0.6 * 0.08 - 0.4 * 0.04)
    assert known.bins["examples"].tolist() == [60, 40]
    assert known.bins["right"].tolist() == [0.5, 1.0]
    # Wilson's interval of 30 in 60
    assert known.bins["low"].iloc[0] == pytest.approx(0.3773, abs=1e-3)


@pytest.mark.parametrize(("sharpness", "truth"), [(1.0, 0.0), (2.0, None)])
def test_its_interval_holds_what_many_examples_say(sharpness: float, truth: float | None) -> None:
    base, rng, held = study(World(), 0), np.random.default_rng(0), 0
    if truth is None:
        whole = reliability(planted.classes(base, rng, sharpness, 200_000).predictions.assign(group="one"))
        assert whole is not None
        truth = whole.error.mean
    for _ in range(25):
        known = reliability(planted.classes(base, rng, sharpness, 1000).predictions)
        assert known is not None
        held += known.error.low <= truth <= known.error.high
    assert held >= 21  # binomial of 25 at 0.95: below with a chance of 1 %


def test_honest_confidence_is_seldom_called_anything_else() -> None:
    base, rng = study(World(), 0), np.random.default_rng(5)
    false = sum(calibration.findings(planted.classes(base, rng, 1.0, 400))[0].tone == "caution" for _ in range(40))
    assert false <= 6  # binomial of 40 at 0.05: above with a chance of 1 %


def test_confidence_is_drawn_where_it_is_known() -> None:
    tables = planted.classes(study(World(), 0), np.random.default_rng(0), 2.0)
    ids = [one.id for one in errors.charts(tables)]
    assert "reliability" in ids
    bare = replace(tables, predictions=tables.predictions.drop(columns="confidence"))
    assert "reliability" not in [one.id for one in errors.charts(bare)]
    assert calibration.findings(bare) == []
    few = replace(tables, predictions=tables.predictions.head(20))
    assert calibration.charts(few) == []


def confident(usual: Tables, gaps: list[float], groups: int, of_each: int = 100) -> Tables:
    """Examples of two confidences, 0.6 and 0.9, right as often as these less `gaps`, alike in every group."""
    parts = []
    for confidence, gap in zip((0.6, 0.9), gaps, strict=True):
        right = np.arange(of_each) < round(of_each * (confidence - gap))
        parts.append(pd.DataFrame({"confidence": confidence, "truth": "a", "prediction": np.where(right, "a", "b")}))
    one = pd.concat(parts, ignore_index=True)
    table = pd.concat([one.assign(group=f"g{n}", image=f"g{n}") for n in range(groups)], ignore_index=True)
    return replace(usual, predictions=table, told="class")


@pytest.mark.parametrize(
    ("gaps", "groups", "verdict", "tone"),
    [
        ([0.0, 0.0], 12, "Confidence is as high as it should be, on average.", "good"),
        ([0.0, 0.0], 3, "Whether confidence is as high as it should be cannot be told.", "plain"),
        ([0.1, 0.1], 3, "Whether confidence is as high as it should be cannot be told.", "plain"),
        ([0.1, -0.1], 12, "Confidence is right on average, but not at each level.", "caution"),
        ([0.1, 0.1], 12, "The network is too sure of itself.", "caution"),
    ],
)
def test_confidence_is_called_right_only_where_it_was_seen(
    usual: Tables, gaps: list[float], groups: int, verdict: str, tone: str
) -> None:
    (told,) = calibration.findings(confident(usual, gaps, groups))
    assert (told.verdict, told.tone) == (verdict, tone)


def test_a_wide_interval_says_nothing_good_and_no_end_is_beyond_what_can_be(usual: Tables) -> None:
    tables = confident(usual, [0.0, 0.0], 4, 20)
    gap = tables.predictions["group"].map({"g0": 0.4, "g1": -0.35, "g2": 0.3, "g3": -0.35})
    wide = tables.predictions.assign(confidence=(tables.predictions["confidence"] + gap).clip(0.01, 1.0))
    (told,) = calibration.findings(replace(tables, predictions=wide))
    assert told.verdict == "Whether confidence is as high as it should be cannot be told."
    two = wide.assign(group=wide["group"].map({"g0": "a", "g1": "b", "g2": "a", "g3": "b"}))
    known = reliability(two)
    assert known is not None
    assert known.over is not None
    assert (known.over.low, known.over.high) == (-1.0, 1.0)
