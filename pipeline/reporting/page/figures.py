"""Figures: charts as data plus a drawing function, tables, galleries; one definition for page and Markdown."""

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from thalweg.reporting import text

AltairChart = alt.Chart | alt.LayerChart | alt.FacetChart


@dataclass(frozen=True)
class CaptionedFigure:
    """The base of all figures but an empty one: an id for file and address, title and caption."""

    id: str
    title: str
    caption: str


@dataclass(frozen=True)
class Chart(CaptionedFigure):
    """Tables by name and the function that draws them; `description` replaces the chart for the blind.

    In the page, marks of tables with a column `trial` are linked to their trial. `decoration_tables` hold no values.
    `labels` replace words of the drawing, and name its fields.
    """

    description: str
    data: Mapping[str, pd.DataFrame]
    plot: Callable[[], AltairChart]
    is_half_width: bool = False
    decoration_tables: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def spec_without_data(self) -> dict[str, Any]:
        """Return Altair's specification without data. Its validation takes a second per report: left to the tests."""
        empty = {name for name, table in self.data.items() if table.empty}
        spec: dict[str, Any] = _replace_labels(self.plot().to_dict(validate=False), self.labels)
        return _drop_empty_layers(spec, empty)

    @cached_property
    def datasets(self) -> dict[str, list[dict[str, Any]]]:
        """Return the tables as rows of plain values."""
        return {name: build_records(table) for name, table in self.data.items()}


@dataclass(frozen=True)
class Table(CaptionedFigure):
    """A table of values; columns of numbers are right-aligned, `marked_rows` get a dot."""

    rows: pd.DataFrame
    is_sortable: bool = False
    is_half_width: bool = False
    marked_rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Gallery(CaptionedFigure):
    """Pictures with captions; if `is_wide`, each has room for several images side by side."""

    pictures: Sequence[Mapping[str, Any]]
    is_wide: bool = False


@dataclass(frozen=True)
class Code(CaptionedFigure):
    """Lines to type."""

    lines: Sequence[str]


@dataclass(frozen=True)
class EmptyFigure:
    """A sentence in place of a figure that cannot be drawn."""

    id: str
    title: str
    reason: str
    is_half_width: bool = False


@dataclass(frozen=True)
class TrialTable(CaptionedFigure):
    """All trials: rows with `trial` and `state`, each with an address, filtered by words and by state.

    `hint` explains the filter; `markdown_figure` replaces the table in Markdown, which has no filter.
    """

    rows: pd.DataFrame
    hint: str
    markdown_figure: Table | EmptyFigure
    marked_rows: tuple[int, ...] = ()

    @property
    def trials(self) -> frozenset[int]:
        """Return the trials that the page can link to."""
        return frozenset(int(trial) for trial in self.rows["trial"])

    @property
    def state_counts(self) -> Counter[str]:
        """Return the number of trials by state."""
        return Counter(map(str, self.rows["state"]))


Figure = Chart | Table | TrialTable | Gallery | Code | EmptyFigure


def build_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain values for a chart: five significant digits, without missing or infinite values."""
    return [
        {
            name: plain
            for name, value in zip(table.columns, row, strict=True)
            if (plain := _to_plain_value(value)) is not None
        }
        for row in table.itertuples(index=False, name=None)
    ]


def _to_plain_value(value: Any) -> Any:
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    if text.is_missing(value):
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    return int(value) if isinstance(value, (int, np.integer)) else str(value)


def mark_numeric_columns(table: pd.DataFrame) -> list[bool]:
    """Return for each column whether it holds numbers, which are right-aligned."""
    return [is_numeric_dtype(dtype) and not is_bool_dtype(dtype) for dtype in table.dtypes]


def build_vega_spec(chart: Chart, width: int | str) -> dict[str, Any]:
    """Return the Vega-Lite specification of a chart with its data; `width` in pixels, or "container"."""
    spec = {name: value for name, value in chart.spec_without_data.items() if name != "config"}
    if width == "container":
        spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec | {"width": width, "description": chart.description, "datasets": chart.datasets}


def _drop_empty_layers(spec: dict[str, Any], empty: Collection[str]) -> dict[str, Any]:
    """Drop the layers of empty tables from a specification: their scales would have no ends."""
    if "layer" not in spec:
        return spec
    layers = [layer for layer in spec["layer"] if (layer.get("data") or {}).get("name") not in empty]
    return spec | {"layer": [_drop_empty_layers(layer, empty) for layer in layers]}


def _replace_labels(part: Any, labels: Mapping[str, str]) -> Any:
    """Replace words of a specification; a field that has a label, and no title, gets it as its title."""
    if isinstance(part, list):
        return [_replace_labels(each, labels) for each in part]
    if not isinstance(part, dict):
        return labels.get(part, part) if isinstance(part, str) else part
    title = {"title": labels[part["field"]]} if part.get("field") in labels and "title" not in part else {}
    kept = {name: value if name == "field" else _replace_labels(value, labels) for name, value in part.items()}
    return kept | title
