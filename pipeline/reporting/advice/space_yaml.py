"""A search space as a person would write it into params.yaml."""

import io
from collections.abc import Sequence
from typing import Any

from ruamel.yaml import YAML

from thalweg.reporting.advice.search_space import NextParameter


def format_space(space: Sequence[NextParameter]) -> list[str]:
    """Return a space as lines of params.yaml; what has one value left is set in the file instead."""
    left = {one.searched.name: one.remaining_values for one in space}
    lines = []
    for one in space:
        parameter, values = one.searched, one.remaining_values
        if any(left.get(name) and not set(wanted) & set(left[name]) for name, wanted in parameter.when.items()):
            continue  # it can no longer play a part
        if len(values) == 1:
            lines.append(f"    # {parameter.name}: {_format_inline(_round_value(values[0]))}, {one.reason}")
            continue
        ends = {"low": _round_value(parameter.low), "high": _round_value(parameter.high)} | (
            {"log": True} if parameter.log else {}
        )
        entry: dict[str, Any] = ends if parameter.is_range else {"choices": [_round_value(value) for value in values]}
        when = {name: list(wanted) for name, wanted in parameter.when.items() if len(left.get(name, ())) != 1}
        entry |= {"when": when} if when else {}
        entry |= {"role": "scientific"} if parameter.role == "scientific" else {}
        lines.append(f"    {_format_inline({parameter.name: entry})[1:-1]}")
    return ["study:", "  space:", *lines] if lines else []


def _round_value(value: Any) -> Any:
    """A number in six digits, whole where it is; all else as it is."""
    if isinstance(value, (str, bool)):
        return value
    number = float(f"{value:g}")
    return int(number) if number.is_integer() and abs(number) < 1e6 else number


def _format_inline(value: Any) -> str:
    """A value as YAML on one line."""
    writer, text = YAML(typ="safe", pure=True), io.StringIO()
    writer.version = (1, 1)  # whose readers take a bare `no` for false, so that it is quoted
    writer.default_flow_style, writer.width = True, 10_000
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.dump(value, text)
    return text.getvalue().splitlines()[1].removeprefix("--- ")
