"""A search space as YAML for params.yaml."""

import io
from collections.abc import Sequence
from typing import Any

from ruamel.yaml import YAML

from thalweg.config.study import NULL
from thalweg.reporting.advice.next_space import NextParameter


def format_space(space: Sequence[NextParameter]) -> list[str]:
    """Format a space as lines of params.yaml; a parameter with one remaining value becomes a comment."""
    remaining = {step.searched.name: step.remaining_values for step in space}
    lines = []
    for step in space:
        parameter, values = step.searched, step.remaining_values
        if any(
            remaining.get(key) and not set(allowed) & set(remaining[key]) for key, allowed in parameter.when.items()
        ):
            continue  # its condition can no longer hold
        if len(values) == 1:
            lines.append(f"    # {parameter.name}: {_format_inline(_round_value(values[0]))}, {step.reason}")
            continue
        range_keys = {"low": _round_value(parameter.low), "high": _round_value(parameter.high)}
        range_keys |= {"log": True} if parameter.log else {}
        entry: dict[str, Any] = range_keys if parameter.is_range else {"choices": list(map(_round_value, values))}
        when = {
            name: list(map(_round_value, allowed))
            for name, allowed in parameter.when.items()
            if len(remaining.get(name, ())) != 1
        }
        entry |= {"when": when} if when else {}
        entry |= {"role": "scientific"} if parameter.role == "scientific" else {}
        lines.append(f"    {_format_inline({parameter.name: entry})[1:-1]}")
    return ["study:", "  space:", *lines] if lines else []


def _round_value(value: Any) -> Any:
    """Round a number to six digits, to a whole one if it is; leave other values. The name `null` becomes None."""
    if isinstance(value, (str, bool)):
        return None if value == NULL else value
    number = float(f"{value:g}")
    return int(number) if number.is_integer() and abs(number) < 1e6 else number


def _format_inline(value: Any) -> str:
    writer, text = YAML(typ="safe", pure=True), io.StringIO()
    writer.version = (1, 1)  # its readers take a bare `no` for false, so it is quoted
    writer.default_flow_style, writer.width = True, 10_000
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.dump(value, text)
    return text.getvalue().splitlines()[1].removeprefix("--- ")
