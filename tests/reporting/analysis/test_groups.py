"""Groups of examples that stand out by their errors."""

import numpy as np
import pandas as pd
import pytest

from thalweg.reporting.analysis.groups import compute_group_errors, find_outlier_groups, name_units


def test_outlier_against_other_groups() -> None:
    # means e^0, e^0.1, e^-0.1, e^1, all examples alike: the others' logarithms 0, 0.1, -0.1 have a deviation of 0.1
    rows = [
        (name, float(np.exp(log))) for name, log in zip("abcd", (0.0, 0.1, -0.1, 1.0), strict=True) for _ in range(6)
    ]
    predictions = pd.DataFrame(rows, columns=["group", "error"]).assign(image="x")
    table = compute_group_errors(predictions)
    assert table["group"].tolist() == ["d", "b", "a", "c"]
    (out,) = find_outlier_groups(table).to_dict("records")
    assert out["group"] == "d"
    assert out["ratio"] == pytest.approx(np.e)
    # t(2, 1 - 0.05 / 4) = 6.2053 times 0.1 sqrt(1 + 1 / 3)
    assert np.log(out["to_ratio"]) == pytest.approx(1 + 6.2053 * 0.1 * np.sqrt(4 / 3), abs=1e-3)
    nearer = predictions.assign(error=np.where(predictions["group"] == "d", np.exp(0.6), predictions["error"]))
    assert find_outlier_groups(compute_group_errors(nearer)).empty


@pytest.mark.slow
@pytest.mark.parametrize(("groups", "size"), [(4, 100), (12, 20), (40, 6)])
def test_outlier_false_positive_rate(groups: int, size: int) -> None:
    rng, times, called = np.random.default_rng(groups), 150, 0
    names = np.repeat([f"g{i:02d}" for i in range(groups)], size)
    for _ in range(times):
        level = np.exp(rng.normal(0, 0.2, groups)).repeat(size)
        errors = level * np.abs(rng.normal(size=groups * size))
        called += (
            len(
                find_outlier_groups(compute_group_errors(pd.DataFrame({"image": "x", "group": names, "error": errors})))
            )
            > 0
        )
    assert called <= 0.05 * times + 3 * np.sqrt(0.05 * 0.95 * times)


@pytest.mark.parametrize(
    ("groups", "units"),
    [(["a", "a", "b"], "groups of examples"), (["a", "b", "c"], "examples"), (["", "", ""], "examples")],
)
def test_units_of_intervals(groups: list[str], units: str) -> None:
    assert name_units(pd.DataFrame({"image": ["1", "2", "3"], "group": groups})) == units


def test_units_without_predictions() -> None:
    assert name_units(pd.DataFrame()) == "groups of examples"
