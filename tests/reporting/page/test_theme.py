"""Colours: distinct, for the page finds them by value, and dark enough to be seen on paper."""

import pytest

from thalweg.reporting.page.figures import Chart
from thalweg.reporting.page.theme import DARK_PALETTE, PAINT
from thalweg.reporting.sections import history
from thalweg.reporting.tables import StudyTables


def compute_contrast(first: str, second: str) -> float:
    """The ratio of two colours' luminances (WCAG 2.2, relative luminance and contrast ratio)."""

    def luminance(paint: str) -> float:
        parts = (int(paint[i : i + 2], 16) / 255 for i in (1, 3, 5))
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white() -> None:
    assert compute_contrast("#000000", "#ffffff") == pytest.approx(21)


def test_colours_are_distinct() -> None:
    assert len(set(PAINT.values())) == len(PAINT)
    assert PAINT.keys() == DARK_PALETTE.keys()


@pytest.mark.parametrize("palette", [PAINT, DARK_PALETTE])
def test_lines_and_text_have_contrast(palette: dict[str, str]) -> None:
    for name in ("winner", "baseline", "diverged"):
        assert compute_contrast(palette[name], palette["paper"]) >= 3, name
    for name in ("ink", "quiet"):
        assert compute_contrast(palette[name], palette["paper"]) >= 4.5, name


def test_baseline_label_is_ink(counting_study: StudyTables) -> None:
    (chart,) = history.build_figures(counting_study)
    assert isinstance(chart, Chart)
    words = [layer["mark"] for layer in chart.spec_without_data["layer"] if layer["mark"].get("type") == "text"]
    assert words[-1]["color"] == PAINT["ink"]
