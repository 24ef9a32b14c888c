"""Tables of the page as text: what stands in each head and cell, and how it is set."""

import re
from dataclasses import dataclass

import pandas as pd

from thalweg.reporting.page.figures import Chart, numeric_columns
from thalweg.reporting.page.thin import evenly
from thalweg.reporting.text import missing, number, share

LONG = 34
"""Characters of a cell above which it may break into lines."""

FEW = 50
"""Rows of a chart's values, at most."""

PLACES = ("shown", "aside")
"""Columns of a chart's tables that place a mark and are no values."""


@dataclass(frozen=True)
class Row:
    """A row's trial, its classes, its first cell in parts between which it may break, and its other cells.

    `kind` and `cells` say how a cell is set: n for a number, to the right; w for long text; None for other text.
    """

    trial: int | None
    classes: str | None
    name: list[str]
    kind: str | None
    cells: list[tuple[str, str | None]]


@dataclass(frozen=True)
class Table:
    """A table: heads as (parent, name, kind), and rows. `long`: text in the last column may need a line of its own."""

    title: str
    heads: list[tuple[str, str, str | None]]
    rows: list[Row]
    long: bool


def make_table(table: pd.DataFrame, title: str, marked: tuple[int, ...] = ()) -> Table:
    """Write out a table. A row that has a trial carries its number; that of the winner and of the baseline a class."""
    names = [str(name) for name in table]
    right = numeric_columns(table)
    trials = names.index("trial") if "trial" in names and right[names.index("trial")] else None
    roles = names.index("role") if "role" in names else None
    rows = []
    for index, values in enumerate(table.itertuples(index=False, name=None)):
        texts, trial = [number(value) for value in values], None
        if trials is not None and not missing(values[trials]):
            trial = int(values[trials])
            texts[trials] = str(trial)
        role = str(values[roles]).partition(",")[0] if roles is not None else ""
        classes = [*(["marked"] if index in marked else []), *([role] if role in ("winner", "baseline") else [])]
        cells = [(_keep_brackets(text), _kind(text, r)) for text, r in zip(texts, right, strict=True)]
        # a dotted name may break after a dot
        parts = re.split(r"(?<=[a-z]\.)(?=[a-z])", cells[0][0])
        rows.append(Row(trial, " ".join(classes) or None, parts, cells[0][1], cells[1:]))
    long = len(names) > 2 and any(row.cells[-1][1] == "w" for row in rows)
    return Table(title, [_head(name, r) for name, r in zip(names, right, strict=True)], rows, long)


def value_tables(chart: Chart) -> list[Table]:
    """Write out what a chart draws, for those who cannot see it: the short tables first, FEW rows in all."""
    left, tables = FEW, []
    told = [(name, rows.drop(columns=[each for each in PLACES if each in rows])) for name, rows in chart.data.items()]
    told = [(name, rows) for name, rows in told if len(rows) and name not in chart.aside]
    for name, rows in sorted(told, key=lambda pair: len(pair[1])):
        drawn = rows.iloc[evenly(len(rows), left)]
        cut = f": {share(len(drawn), len(rows))} rows, evenly drawn" if len(drawn) < len(rows) else ""
        if len(drawn):
            tables.append(make_table(drawn, f"{name}{cut}"))
        left -= len(drawn)
    return tables


def _head(name: str, right: bool) -> tuple[str, str, str | None]:
    parent, dot, last = ("", "", name) if " " in name else name.rpartition(".")
    return parent + dot, last, "n" if right else None


def _kind(text: str, right: bool) -> str | None:
    return "n" if right else "w" if len(text) > LONG else None


def _keep_brackets(text: str) -> str:
    """Keep an interval in brackets on one line."""
    return re.sub(r"\([^()]{,30}\)", lambda found: found[0].replace(" ", "\u00a0"), text) if "(" in text else text
