"""Charts and tables as plain data for the templates."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from thalweg.reporting.page.figures import Chart, build_vega_spec, mark_numeric_columns
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.page.thin import subsample_indices
from thalweg.reporting.text import format_number, format_share, is_missing

CHART_MARGIN_PIXELS = 70
"""Approximate pixels of axis, title and legend around a chart."""
MAX_UNBROKEN_CHARACTERS = 34
"""Characters of a cell; longer ones may break into lines."""
MAX_VALUE_ROWS = 50
"""Rows of values per chart, at most."""
POSITION_COLUMNS = ("shown", "aside")
"""Columns of a chart's tables that position a mark and are not values."""
CSS_VARIABLES = {value: f"var(--{name})" for name, value in PAINT.items()}


@dataclass(frozen=True)
class HtmlRow:
    """A row: its trial, CSS classes, and cells with their kind: n for a number (right-aligned), w for long text."""

    trial: int | None
    classes: str | None
    cells: list[tuple[str, str | None]]


@dataclass(frozen=True)
class HtmlTable:
    """A table: heads as (parent, name, kind), and rows; long text in the last column may need its own line."""

    title: str
    heads: list[tuple[str, str, str | None]]
    rows: list[HtmlRow]
    has_long_text: bool


def build_html_table(table: pd.DataFrame, title: str, marked_rows: Sequence[int] = ()) -> HtmlTable:
    """Build a table. Rows with a trial carry its number; those of winner and baseline carry a CSS class."""
    right = dict(zip(map(str, table), mark_numeric_columns(table), strict=True))
    rows = []
    for index, values in enumerate(table.itertuples(index=False, name=None)):
        row = dict(zip(right, values, strict=True))
        texts = {name: _keep_brackets(format_number(value)) for name, value in row.items()}
        trial = int(row["trial"]) if right.get("trial") and not is_missing(row["trial"]) else None
        if trial is not None:
            texts["trial"] = str(trial)
        role = str(row.get("role", "")).partition(",")[0]
        classes = [*(["marked"] if index in marked_rows else []), *([role] if role in ("winner", "baseline") else [])]
        kinds = [
            "n" if right[name] else "w" if len(text) > MAX_UNBROKEN_CHARACTERS else None for name, text in texts.items()
        ]
        rows.append(HtmlRow(trial, " ".join(classes) or None, list(zip(texts.values(), kinds, strict=True))))
    long = len(right) > 2 and any(row.cells[-1][1] == "w" for row in rows)
    return HtmlTable(title, [(*_split_heading(name), "n" if r else None) for name, r in right.items()], rows, long)


def _split_heading(name: str) -> tuple[str, str]:
    parent, dot, last = ("", "", name) if " " in name else name.rpartition(".")
    return parent + dot, last


def _keep_brackets(text: str) -> str:
    """Keep an interval in brackets on one line."""
    return re.sub(r"\([^()]{,30}\)", lambda match: match[0].replace(" ", "\u00a0"), text)


def build_value_tables(chart: Chart) -> list[HtmlTable]:
    """Build tables of a chart's values for the blind: shortest first, MAX_VALUE_ROWS rows in all."""
    remaining, tables = MAX_VALUE_ROWS, []
    values = {name: rows.drop(columns=list(POSITION_COLUMNS), errors="ignore") for name, rows in chart.data.items()}
    for name, rows in sorted(values.items(), key=lambda item: len(item[1])):
        if name in chart.decoration_tables or not len(subset := rows.iloc[subsample_indices(len(rows), remaining)]):
            continue
        cut = f": {format_share(len(subset), len(rows))} rows, evenly spaced" if len(subset) < len(rows) else ""
        tables.append(build_html_table(subset, f"{name}{cut}"))
        remaining -= len(subset)
    return tables


def build_chart_data(chart: Chart) -> dict[str, Any]:
    """Return a chart's specification for the script, its height in pixels, and tables of its values."""
    spec = use_css_variables(build_vega_spec(chart, "container"))
    spec["datasets"] = {name: to_columns(rows) for name, rows in spec["datasets"].items()}
    height = spec["height"] if isinstance(spec.get("height"), int) else CHART_MARGIN_PIXELS
    return {"spec": spec, "tall": height + CHART_MARGIN_PIXELS, "tables": build_value_tables(chart)}


def use_css_variables(value: Any) -> Any:
    """Replace a specification's colours by the page's CSS variables, so that they follow light, dark and print."""
    if isinstance(value, dict):
        return {key: item if key == "datasets" else use_css_variables(item) for key, item in value.items()}
    if isinstance(value, list):
        return [use_css_variables(item) for item in value]
    return CSS_VARIABLES.get(value, value) if isinstance(value, str) else value


def to_columns(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Turn rows into columns, which name each column once (half the size); None if a row has no value."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}
