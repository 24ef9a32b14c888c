"""A problem in params.yaml, and its message."""

import difflib
import json
import math
from dataclasses import dataclass, replace
from typing import Any

from thalweg.system.members import takes_own_code

KeyPath = tuple[str | int, ...]
ParamsTree = dict[str, Any]
MAX_QUOTED_CHARACTERS = 60
"""Longest quotation from a params file, in characters."""


@dataclass(frozen=True)
class Problem:
    """A problem: its path, a message, the allowed names or values, and the name or value in the file."""

    path: KeyPath
    message: str
    allowed: tuple[str, ...] = ()
    written: str = ""

    def describe_problem(self) -> str:
        path = ".".join(map(str, self.path)) or "(whole file)"
        is_part = len(self.path) == 1 and self.message == "is missing"
        sentences = [f"`{path}` is missing" if is_part else f"{path}: {self.message}"]
        if self.allowed:
            sentences.append(f"allowed: {', '.join(self.allowed)}{self._describe_own_code()}")
        if self.suggestion:
            sentences.append(f"did you mean `{self.suggestion}`?")
        return "; ".join(sentences)

    def _describe_own_code(self) -> str:
        """Return how to name own code in place of an unknown name; '' where none may be named."""
        match self.path:
            case _ if not self.written:
                return ""
            case ("study", "objective") | ("study", "also" | "constraints", _):
                return ", or your own, listed in task.metrics"
            case path if takes_own_code(path):
                return ", or your own as `package.module.name`"
        return ""

    @property
    def suggestion(self) -> str:
        """The only allowed name that `written` abbreviates (lr), or one spelt much like it; '' for none.

        Dotted paths with the same beginning differ in what follows; a name without dots may be a path's end.
        """
        section, _, last = self.written.rpartition(".")
        parts = [(name, name.rpartition(".")) for name in self.allowed]
        ends = [(name, end) for name, (beginning, _, end) in parts if not section or beginning == section]
        written, rivals = (last, ends) if ends else (self.written, [(name, name) for name in self.allowed])
        abbreviated = [name for name, end in rivals if _is_abbreviation(written, end)]
        similar = difflib.get_close_matches(written, [end for _, end in rivals], n=1, cutoff=0.5)
        alike = [name for name, end in rivals if end in similar]
        return next((found[0] for found in (abbreviated, alike) if len(found) == 1), "")

    def put_nearest_first(self) -> "Problem":
        """Return the problem with its suggestion first among the allowed names."""
        nearest = self.suggestion
        return replace(self, allowed=tuple(sorted(self.allowed, key=lambda name: name != nearest)))


def _is_abbreviation(short: str, name: str) -> bool:
    """Return whether `name` begins like `short` and has all its letters in order."""
    letters = iter(name)
    return short[:1] == name[:1] and len(short) > 1 and all(letter in letters for letter in short)


def build_problem(error: Any) -> Problem:
    """Return Pydantic's error as a problem in plain words."""
    path = tuple(step for step in error["loc"] if step != "[key]")
    value, context = error["input"], error.get("ctx", {})
    allowed = tuple(map(str, context.get("allowed", ())))
    match error["type"]:
        case "extra_forbidden":
            return Problem(path, "unknown key", allowed, str(path[-1]))
        case "missing":
            return Problem(path, "is missing", allowed)
        case "family":
            return Problem(path, error["msg"], allowed)
        case "kind":
            value = context["given"]
            return Problem((*path, "kind"), f"{quote_value(value)} is not known", allowed, str(value))
        case "member":
            return Problem((*path, "kind"), error["msg"])
        case "literal_error":
            allowed = tuple(name.strip("'") for name in context["expected"].replace(" or ", ", ").split(", "))
            return Problem(path, f"{quote_value(value)} is not known", allowed, str(value))
        case kind if kind in _MESSAGES:
            advice = f"; write {context['instead']}" if context.get("instead") else ""
            entries = f" ({context['entries']})" if context.get("entries") else ""
            rule = _MESSAGES[kind].format(**_trim_floats(context) | {"entries": entries})
            return Problem(path, f"{rule}, not {describe_value(value)}{advice}", allowed)
        case _:
            return Problem(path, error["msg"].removeprefix("Value error, ").replace("Input should", "must"))


_MESSAGES = {
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "string_too_short": "must have at least {min_length} character",
    "scalar": "must be text, a number, true, false or null",
    "tuple_type": "must be a list{entries}",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "too_long": "must have at most {max_length} entries",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "string_pattern_mismatch": "must match `{pattern}`",
}


def _trim_floats(context: ParamsTree) -> ParamsTree:
    return {n: int(v) if isinstance(v, float) and v.is_integer() else v for n, v in context.items()}


def quote_value(value: Any) -> str:
    """Return text in quotes, shortened if it is long; another value as `describe_value` has it."""
    if not isinstance(value, str):
        return describe_value(value)
    end = "…" if len(value) > MAX_QUOTED_CHARACTERS else ""
    return json.dumps(value[:MAX_QUOTED_CHARACTERS] + end, ensure_ascii=False)


def describe_value(value: Any) -> str:
    """Describe a value in words."""
    match value:
        case None:
            return "empty (null)"
        case bool():
            return str(value).lower()
        case str():
            return f"the text {quote_value(value)}"
        case float() if not math.isfinite(value):
            return f".{value}".replace(".-", "-.")
        case int() | float():
            return str(value) if abs(value) < 10**MAX_QUOTED_CHARACTERS else "a number too large"
        case list() | tuple():
            return f"a list of {len(value)}"
        case dict():
            return "a mapping"
        case _:
            return f"the value {str(value)[:MAX_QUOTED_CHARACTERS]}"
