"""A search space as a person would write it into params.yaml."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from thalweg.reporting.tables import is_range

SPECIAL = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")


def yaml(space: Sequence[Mapping[str, Any]]) -> list[str]:
    """A space as lines of params.yaml; what has one choice left is set in the file instead."""
    settled = {one["name"]: one["choices"][0] for one in space if one.get("choices") and len(one["choices"]) == 1}
    settled |= {one["name"]: one["fixed"] for one in space if "fixed" in one}
    kept = {one["name"]: one["choices"] for one in space if one.get("choices")}
    kept |= {one["name"]: [one["fixed"]] for one in space if "fixed" in one}
    lines = ["study:", "  space:"]
    for one in space:
        when = {name: value for name, value in (one.get("when") or {}).items() if name not in settled}
        if any(not _possible(kept.get(name), value) for name, value in (one.get("when") or {}).items()):
            continue
        if one["name"] in settled:
            why = one.get("why", "the one choice")
            lines.append(f"    # {one['name']}: {_shown(settled[one['name']])}, {why}")
            continue
        body = _body(one)
        if when:
            body += ", when: {" + ", ".join(f"{_shown(name)}: {_shown(value)}" for name, value in when.items()) + "}"
        role = ", role: scientific" if one.get("role") == "scientific" else ""
        lines.append(f"    {_shown(one['name'])}: {{{body}{role}}}")
    return lines if len(lines) > 2 else []


def _possible(choices: Sequence[Any] | None, wanted: Any) -> bool:
    """Whether a condition can still hold where a parameter has these choices; None: it has a range."""
    values = wanted if isinstance(wanted, (list, tuple)) else [wanted]
    return choices is None or any(value in choices for value in values)


def _body(one: Mapping[str, Any]) -> str:
    if not is_range(one):
        return f"choices: {_shown(one['choices'])}"
    log = ", log: true" if one.get("log") else ""
    return f"low: {_shown(one['low'])}, high: {_shown(one['high'])}{log}"


def _shown(value: Any) -> str:
    """A value as YAML takes it on one line."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_shown(one) for one in value)}]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, (int, float, np.number)):
        text = f"{value:g}"
        return text if "e" not in text or "." in text else text.replace("e", ".0e")
    text = str(value)
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", text) and text.lower() not in SPECIAL
    return text if plain else "'" + text.replace("'", "''") + "'"
