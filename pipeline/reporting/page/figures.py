"""Charts as data and drawing, apart; one definition serves the page, the SVG and `dvc plots`."""

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
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
    """What every figure but a blank one has: a name for its file and address, and words above it."""

    id: str
    title: str
    caption: str


@dataclass(frozen=True)
class Chart(CaptionedFigure):
    """Tables by name and a function that draws them; `description` says it all to one who cannot see it.

    What has a column `trial` is marked with its trial in the page. Tables that are `aside` decorate and hold no values.
    """

    description: str
    data: Mapping[str, pd.DataFrame]
    plot: Callable[[], AltairChart]
    is_half_width: bool = False
    decoration_tables: tuple[str, ...] = ()

    @cached_property
    def spec_without_data(self) -> dict[str, Any]:
        """What Altair makes of it, without its data. Altair's own check takes a second for a report: tests make it."""
        empty = {name for name, table in self.data.items() if table.empty}
        return _drop_empty_layers(self.plot().to_dict(validate=False), empty)

    @cached_property
    def datasets(self) -> dict[str, list[dict[str, Any]]]:
        """Its tables as rows of plain values."""
        return {name: build_records(table) for name, table in self.data.items()}


@dataclass(frozen=True)
class Table(CaptionedFigure):
    """A table to read; cells are values, columns of numbers stand to the right, `marked` rows get a dot."""

    rows: pd.DataFrame
    is_sortable: bool = False
    is_half_width: bool = False
    marked_rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Gallery(CaptionedFigure):
    """Pictures, each with what is told of it; `wide` ones have room for several images side by side."""

    pictures: Sequence[Mapping[str, Any]]
    is_wide: bool = False


@dataclass(frozen=True)
class Code(CaptionedFigure):
    """Lines to type."""

    lines: Sequence[str]


@dataclass(frozen=True)
class EmptyFigure:
    """A sentence where there is nothing to draw."""

    id: str
    title: str
    reason: str
    is_half_width: bool = False


@dataclass(frozen=True)
class TrialTable(CaptionedFigure):
    """All trials to look through: rows with `trial` and `state`, each with an address, filtered by words and by state.

    `hint` says what may be typed; `paper` stands for it in Markdown, where nothing can be looked through.
    """

    rows: pd.DataFrame
    hint: str
    markdown_figure: Table | EmptyFigure
    marked_rows: tuple[int, ...] = ()

    @property
    def trials(self) -> frozenset[int]:
        """The trials that the page can point at."""
        return frozenset(int(trial) for trial in self.rows["trial"])

    @property
    def state_counts(self) -> Counter[str]:
        """How many trials are in each state."""
        return Counter(map(str, self.rows["state"]))


Figure = Chart | Table | TrialTable | Gallery | Code | EmptyFigure


def build_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values for a chart: five significant digits, unknown values left out, numbers not finite too."""
    return [
        {
            name: kept
            for name, value in zip(table.columns, row, strict=True)
            if (kept := _to_plain_value(value)) is not None
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
    """Say of each column whether it holds numbers, which stand to the right."""
    return [is_numeric_dtype(dtype) and not is_bool_dtype(dtype) for dtype in table.dtypes]


def build_vega_spec(chart: Chart, width: int | str) -> dict[str, Any]:
    """The Vega-Lite specification of a chart with its data inside; `width` in pixels, or "container"."""
    drawn = {name: part for name, part in chart.spec_without_data.items() if name != "config"}
    if width == "container":
        drawn["autosize"] = {"type": "fit-x", "contains": "padding"}
    return drawn | {"width": width, "description": chart.description, "datasets": chart.datasets}


def _drop_empty_layers(drawn: dict[str, Any], empty: Collection[str]) -> dict[str, Any]:
    """A specification without the layers of tables that are empty: their scales would have no ends."""
    if "layer" not in drawn:
        return drawn
    layers = [
        _drop_empty_layers(one, empty) for one in drawn["layer"] if (one.get("data") or {}).get("name") not in empty
    ]
    return drawn | {"layer": layers}
