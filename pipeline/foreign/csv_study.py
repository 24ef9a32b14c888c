"""Reading a study from a CSV file with one row for each trial. docs/any-study.md describes the columns."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from thalweg.foreign.conditions import find_conditions
from thalweg.foreign.study import ForeignStudy, ForeignTrial, Objective, State, read_curve, read_values
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.text import join_items
from thalweg.system import files, table_files
from thalweg.system.files import UserError

STATES: dict[str, State] = {
    **dict.fromkeys(("complete", "completed", "finished", "done", "ok"), "complete"),
    **dict.fromkeys(("pruned", "stopped"), "pruned"),
    **dict.fromkeys(("fail", "failed", "error", "crashed", "diverged"), "failed"),
    "running": "running",
    "waiting": "waiting",
}
"""Words of the column `state`, in any case."""
CURVE = re.compile(r"step_(\d+)")
"""A column of the values that trials reported at one step."""
PARAMETER_PREFIXES = ("params_", "params.")
"""Of a file that has such columns, only these are parameters: Optuna's own table has them."""
NO_PARAMETERS = ("values_", "datetime_", "duration", "user_attrs_", "system_attrs_")
SEEDS = ("seed", "user_attrs_seed")
MAX_CHOICES = 50
"""Texts that a column may have to count as a parameter: more are names or notes."""
MIN_TEXTS = 10
"""Texts that it may have in any case; between the two, half as many as cells."""
SEPARATORS = ",;\t"
DECIMAL_COMMA = re.compile(r"^\s*([+-]?\d+),(\d+(?:[eE][+-]?\d+)?)\s*$")
UNNAMED = re.compile(r"\s*(?:Unnamed: \d+)?\s*")
"""The heading of the rows' numbers as pandas writes it, or writes it again."""
WIDE_RATIO = 30.0
"""How far the largest value is from the smallest where a range counts as searched on a log scale."""
MAX_SHOWN_FAULTS = 10


@dataclass
class _Reader:
    """A table, the column of the value, and the faults found so far."""

    path: Path
    table: pd.DataFrame
    value: str
    faults: list[str] = field(default_factory=list)


def read_study(path: Path, value: str, direction: Literal["min", "max"]) -> ForeignStudy:
    """Read a study. Raises `UserError` with all faults of the file."""
    table, nameless = _read_table(path)
    reader = _Reader(path, table, value)
    if value not in table:
        listed = join_items([repr(str(name)) for name in table.columns], 20)
        raise UserError(f"{path}: no column {value!r} with the value; name it with --value. There are {listed}")
    if table.empty:
        raise UserError(f"{path} has no trial: there is no row below the names of the columns")
    states, values = _read_states(reader), _read_numbers(reader, value)
    numbers = _read_trial_numbers(reader)
    names = map(str, table)
    curves = {int(match[1]): _read_numbers(reader, name) for name in names if (match := CURVE.fullmatch(name))}
    columns, left_out = _select_parameters(table, value)
    typed = {_strip_prefix(name): _convert_column(table[name]) for name in columns}
    seeds = next((table[name] for name in SEEDS if name in table), pd.Series(None, index=table.index, dtype=object))
    _raise_faults(reader)
    trials = []
    for row in range(len(table)):
        own = read_values([float(values.iloc[row])])
        state = states[row] or ("complete" if own else "failed")
        trials.append(
            ForeignTrial(
                number=numbers[row],
                state="failed" if state == "complete" and not own else state,
                values=own,
                params={name: cell for name, column in typed.items() if not pd.isna(cell := column.iloc[row])},
                seed=None if pd.isna(seeds.iloc[row]) else str(seeds.iloc[row]),
                curve=read_curve({step: float(curve.iloc[row]) for step, curve in curves.items()}),
            )
        )
    read = tuple(sorted(trials, key=lambda trial: trial.number))
    return ForeignStudy(
        name=path.stem,
        source=f"the file {path.name}",
        objectives=(Objective(value, direction),),
        space=find_conditions([_build_parameter(name, column) for name, column in typed.items()], read),
        trials=read,
        is_space_known=False,
        left_out={**nameless, **left_out},
    )


def _read_table(path: Path) -> tuple[pd.DataFrame, Mapping[str, str]]:
    """Read the cells as text, and the columns without a name, as pandas numbers rows, each with the reason to leave it.

    A file with semicolons may have decimal commas, as spreadsheets write them.
    """
    content = files.read_bytes(path)
    first_line = content.partition(b"\n")[0]
    separator = max(SEPARATORS, key=lambda each: first_line.count(each.encode()))
    options = {"sep": separator, "header": None, "encoding": "utf-8-sig"}
    rows = table_files.parse_table(path, content, dtype=str, skipinitialspace=True, **options)
    names = ["" if pd.isna(name) or UNNAMED.fullmatch(name) else str(name).strip() for name in rows.iloc[0]]
    if alike := sorted({name for name in names if name and names.count(name) > 1}):
        raise UserError(f"{path}:1: several columns are called {join_items([repr(name) for name in alike])}")
    nameless = {f"column {place}": "it has no name" for place, name in enumerate(names, 1) if not name}
    table = rows.iloc[1:].reset_index(drop=True).set_axis(pd.Index(names), axis=1).loc[:, [*map(bool, names)]]
    return table.replace(DECIMAL_COMMA, r"\1.\2", regex=True) if separator == ";" else table, nameless


def _raise_faults(reader: _Reader) -> None:
    if reader.faults:
        hidden = len(reader.faults) - MAX_SHOWN_FAULTS
        more = [f"and {hidden} more faults"] if hidden > 0 else []
        raise UserError("\n".join([*reader.faults[:MAX_SHOWN_FAULTS], *more]))


def _read_states(reader: _Reader) -> list[State | None]:
    """Return each trial's state; None where the file does not say."""
    if "state" not in reader.table:
        return [None] * len(reader.table)
    states = list[State | None]()
    for row, cell in enumerate(reader.table["state"]):
        word = "" if pd.isna(cell) else str(cell).strip().lower().removeprefix("trialstate.")
        if word and word not in STATES:
            allowed = "complete, pruned, failed, running or waiting"
            reader.faults.append(f"{_name_cell(reader, row, 'state')}: {cell!r} is no state; use {allowed}")
        states.append(STATES.get(word))
    return states


def _read_numbers(reader: _Reader, name: str) -> pd.Series:
    """Return a column of numbers, NaN where it is empty or says so; other texts are faults."""
    column = reader.table[name]
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    words = column.str.strip().str.lower()
    for row in np.flatnonzero(numbers.isna() & column.notna() & ~words.isin(["nan", "none", "null", ""])):
        reader.faults.append(f"{_name_cell(reader, int(row), name)}: {column.iloc[row]!r} is no number")
    return numbers


def _read_trial_numbers(reader: _Reader) -> list[int]:
    """Return the trials' numbers: the column `number`, or the order of the rows."""
    if "number" not in reader.table:
        return list(range(len(reader.table)))
    numbers = _read_numbers(reader, "number")
    for row in np.flatnonzero(numbers.isna() | (numbers % 1 != 0) | (numbers < 0)):
        reader.faults.append(f"{_name_cell(reader, int(row), 'number')}: a trial's number is whole, and 0 or more")
    for row in np.flatnonzero(numbers.duplicated() & numbers.notna()):
        reader.faults.append(f"{_name_cell(reader, int(row), 'number')}: trial {numbers.iloc[row]:g} has a row already")
    return [] if reader.faults else numbers.astype(int).tolist()


def _name_cell(reader: _Reader, row: int, column: str) -> str:
    return f"{reader.path}:{row + 2}: {column}"


def _select_parameters(table: pd.DataFrame, value: str) -> tuple[list[str], Mapping[str, str]]:
    """Return the columns of parameters, and those that are none, each with the reason."""
    names = [str(name) for name in table]
    marked = [name for name in names if name.startswith(PARAMETER_PREFIXES)]
    known = {value, "number", "state", *SEEDS, *(name for name in names if CURVE.fullmatch(name))}
    columns, left_out = list[str](), dict[str, str]()
    for name in marked or [name for name in names if name not in known and not name.startswith(NO_PARAMETERS)]:
        filled = table[name].dropna()
        is_text = not np.isfinite(pd.to_numeric(filled, errors="coerce")).all()
        if filled.empty:
            left_out[name] = "it is empty"
        elif is_text and filled.nunique() > min(MAX_CHOICES, max(MIN_TEXTS, len(filled) / 2)):
            left_out[name] = f"it has {filled.nunique():,} different texts"
        else:
            columns.append(name)
    return columns, left_out


def _strip_prefix(name: str) -> str:
    return next((name.removeprefix(prefix) for prefix in PARAMETER_PREFIXES if name.startswith(prefix)), name)


def _convert_column(column: pd.Series) -> pd.Series:
    """Return a column's cells as numbers, whole ones as such, where all are numbers; else as texts."""
    named = column.mask(column.str.strip().str.lower() == "nan")
    numbers = pd.to_numeric(named, errors="coerce")
    if numbers[named.notna()].map(lambda cell: pd.isna(cell) or math.isinf(cell)).any():
        return column.str.strip()
    is_whole = (numbers.dropna() % 1 == 0).all()
    cells = [cell if pd.isna(cell) else int(cell) if is_whole else float(cell) for cell in numbers]
    return pd.Series(cells, index=column.index, dtype=object)


def _build_parameter(name: str, column: pd.Series) -> SearchedParameter:
    """Build a parameter from the values that trials had: what was searched is not known."""
    values = column.dropna()
    if all(isinstance(value, str) for value in values) or values.nunique() == 1:
        return SearchedParameter(name, choices=tuple(sorted(values.unique(), key=str)))
    low, high = float(values.min()), float(values.max())
    is_whole = all(isinstance(value, int) for value in values)
    return SearchedParameter(name, low, high, log=_is_log(values.astype(float), low, high), whole=is_whole)


def _is_log(values: pd.Series, low: float, high: float) -> bool:
    """Return whether values look as if drawn on a log scale: they span decades, and their logarithms lie evenly."""
    if low <= 0 or high / low < WIDE_RATIO:
        return False
    middle = float(np.log(values / low).median() / np.log(high / low))
    return middle > 2 * float((values.median() - low) / (high - low))
