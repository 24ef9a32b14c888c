"""Figures and findings as plain data, as their templates lay them out."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Blank, Chart, Code, Figure, Gallery, Listing, Register, spec
from thalweg.reporting.page.html_tables import make_table, value_tables
from thalweg.reporting.page.pictures import read_picture
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.text import many

AROUND = 70
"""Pixels of axis, title and legend around a chart, about."""

MOST_TRIALS = 12
"""Trials that a finding names, at most."""

VARIABLES = {value: f"var(--{name})" for name, value in PAINT.items()}


def finding_data(found: Finding, anchors: Collection[int] = ()) -> dict[str, Any]:
    """Return what the template of a finding needs; of its trials those in `anchors` have a row to lead to."""
    return {
        "finding": found,
        "trials": [(trial, trial in anchors) for trial in found.trials[:MOST_TRIALS]],
        "more": max(len(found.trials) - MOST_TRIALS, 0),
    }


def figure_data(shown: Figure) -> dict[str, Any]:
    """Return what the template of a figure needs; `kind` names the macro of its body."""
    data = {"kind": type(shown).__name__.lower(), "id": shown.id, "title": shown.title, "caption": "", "half": False}
    data |= {name: value for name in ("caption", "half") if (value := getattr(shown, name, None))}
    match shown:
        case Chart():
            return data | _chart_data(shown)
        case Listing():
            return data | {"table": make_table(shown.rows, shown.title, shown.marked), "sortable": shown.sortable}
        case Register():
            states = Counter(str(state) for state in shown.rows["state"])
            return data | {
                "table": make_table(shown.rows, shown.title, shown.marked),
                "states": [(state, f"{state} ({count:,})") for state, count in states.items()],
                "count": many(len(shown.rows), "trial"),
                "hint": shown.hint,
            }
        case Gallery():
            return data | {"pictures": [read_picture(row) for row in shown.pictures], "wide": shown.wide}
        case Code():
            return data | {"lines": shown.lines}
        case Blank():
            return data | {"reason": shown.reason}


def _chart_data(chart: Chart) -> dict[str, Any]:
    """A chart's specification for the script that draws it, the pixels it will take, and its values to read."""
    drawn = use_variables(spec(chart, "container"))
    drawn["datasets"] = {name: as_columns(rows) for name, rows in drawn["datasets"].items()}
    tall = drawn["height"] + AROUND if isinstance(drawn.get("height"), int) else 2 * AROUND
    return {"description": chart.description, "spec": drawn, "tall": tall, "tables": value_tables(chart)}


def use_variables(value: Any) -> Any:
    """Replace a specification's colours by the page's CSS variables, so that they follow light, dark and print."""
    if isinstance(value, dict):
        return {name: each if name == "datasets" else use_variables(each) for name, each in value.items()}
    if isinstance(value, list):
        return [use_variables(each) for each in value]
    return VARIABLES.get(value, value) if isinstance(value, str) else value


def as_columns(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Turn rows into columns, which need each name once: half as long; null where a row has no value."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}
