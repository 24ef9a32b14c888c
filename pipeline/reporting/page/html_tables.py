"""Tables of the page: of values, of all trials, and of what a chart draws."""

import re
from collections import Counter
from html import escape

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from thalweg.reporting.page.figures import Chart, Listing, Register
from thalweg.reporting.page.markup import prose
from thalweg.reporting.page.thin import evenly
from thalweg.reporting.text import many, missing, number, share

LONG = 34
"""Characters of a cell above which it may break into lines."""

FEW = 50
"""Rows of a chart's values, at most."""

PLACES = ("shown", "aside")
"""Columns of a chart's tables that place a mark and are no values."""


def numeric(table: pd.DataFrame, column: str) -> bool:
    """Whether a column holds numbers, so that it stands to the right."""
    return is_numeric_dtype(table[column]) and not is_bool_dtype(table[column])


def listing(shown: Listing) -> str:
    """A table to read, in a box that can be scrolled sideways."""
    return _box(
        shown.title, _table(shown.rows, shown.title, sortable=shown.sortable, marked=shown.marked, wrapped=True)
    )


def register(shown: Register) -> str:
    """All trials: what they are filtered by, then the table in a box of limited height."""
    key = f"figure-{escape(shown.id)}"
    counts = Counter(str(state) for state in shown.rows["state"])
    options = "".join(
        f'<option value="{escape(state)}">{escape(state)} ({count:,})</option>' for state, count in counts.items()
    )
    controls = (
        f'<label>Filter <input type="search" autocomplete="off" spellcheck="false" aria-describedby="{key}-hint">'
        f'</label><label>State <select><option value="">any</option>{options}</select></label>'
        f"<output>{many(len(shown.rows), 'trial')}</output>"
        f'<p id="{key}-hint">{prose(shown.hint)}</p>'
    )
    rows = _table(shown.rows, shown.title, sortable=True, marked=shown.marked, anchored=True)
    return f'<div class="controls">{controls}</div>{_box(shown.title, rows, "scroll tall")}'


def values(chart: Chart) -> str:
    """What a chart draws, for those who cannot see it: its tables, the short ones first, FEW rows in all."""
    left, parts = FEW, []
    told = [(name, rows.drop(columns=[each for each in PLACES if each in rows])) for name, rows in chart.data.items()]
    told = [(name, rows) for name, rows in told if len(rows) and name not in chart.aside]
    for name, rows in sorted(told, key=lambda pair: len(pair[1])):
        drawn = rows.iloc[evenly(len(rows), left)]
        cut = f": {share(len(drawn), len(rows))} rows, evenly drawn" if len(drawn) < len(rows) else ""
        if len(drawn):
            parts.append(_table(drawn, f"{name}{cut}", titled=True))
        left -= len(drawn)
    inside = _box(f"{chart.title}, the values", "".join(parts))
    return f'<details class="values"><summary>The values</summary>{inside}</details>'


def _box(title: str, inside: str, kind: str = "scroll") -> str:
    return f'<div class="{kind}" role="region" tabindex="0" aria-label="{escape(title)}">{inside}</div>'


def _table(
    rows: pd.DataFrame,
    title: str,
    *,
    titled: bool = False,
    sortable: bool = False,
    marked: tuple[int, ...] = (),
    anchored: bool = False,
    wrapped: bool = False,
) -> str:
    """A table; its title is read aloud, and seen where `titled`. A row that has a trial carries its number;
    that of the winner and of the baseline a class.

    Where `wrapped`, long text of the last column gets a line of its own on a narrow screen.
    """
    names = [str(name) for name in rows]
    right = [numeric(rows, name) for name in names]
    trial = names.index("trial") if "trial" in names and right[names.index("trial")] else None
    heads = "".join(_head(name, r, sortable) for name, r in zip(names, right, strict=True))
    lines = []
    for index, row in enumerate(rows.itertuples(index=False, name=None)):
        named, told = "", [number(value) for value in row]
        if trial is not None and not missing(row[trial]):
            own = int(row[trial])
            told[trial] = str(own)
            named = f' id="trial-{own}" data-trial="{own}"' if anchored else f' data-trial="{own}"'
        role = str(row[names.index("role")]).partition(",")[0] if "role" in names else ""
        kinds = [*(["marked"] if index in marked else []), *([role] if role in ("winner", "baseline") else [])]
        named += f' class="{" ".join(kinds)}"' if kinds else ""
        cells = "".join(_cell(text, r, place == 0) for place, (text, r) in enumerate(zip(told, right, strict=True)))
        lines.append(f"<tr{named}>{cells}</tr>")
    hidden = "" if titled else ' class="unseen"'
    caption = f"<caption{hidden}>{escape(title)}</caption>"
    long = wrapped and len(names) > 2 and any(len(number(value)) > LONG for value in rows.iloc[:, -1])
    kind = f' class="below" style="--columns:{len(names) - 1}"' if long else ""
    return f"<table{kind}>{caption}<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _head(name: str, right: bool, sortable: bool) -> str:
    parent, dot, last = name.rpartition(".")
    text = f"<small>{escape(parent + dot)}</small>{escape(last)}" if dot and " " not in name else escape(name)
    inside = f'<button type="button">{text}</button>' if sortable else text
    return f'<th scope="col" class="n">{inside}</th>' if right else f'<th scope="col">{inside}</th>'


def _cell(text: str, right: bool, first: bool) -> str:
    """A cell; the first one names its row. An interval in brackets stays on one line."""
    kind = ' class="n"' if right else ' class="w"' if len(text) > LONG else ""
    told = re.sub(r"\([^()]{,30}\)", lambda found: found[0].replace(" ", "\u00a0"), text) if "(" in text else text
    if first:
        # a dotted name may break after a dot
        return f'<th scope="row"{kind}>{re.sub(r"(?<=[a-z])[.](?=[a-z])", ".<wbr>", escape(told))}</th>'
    return f"<td{kind}>{escape(told)}</td>"
