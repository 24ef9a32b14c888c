"""One thing that is wrong with params.yaml, in words."""

import difflib
import json
import math
from dataclasses import dataclass
from typing import Any

KeyPath = tuple[str | int, ...]
ParamsTree = dict[str, Any]
MAX_QUOTED_CHARACTERS = 60
"""As many characters of what a person wrote are shown again."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where by dotted path, what, the names or values that would do, and which was given."""

    path: KeyPath
    message: str
    allowed: tuple[str, ...] = ()
    written: str = ""

    def describe_problem(self) -> str:
        words = [f"{'.'.join(str(part) for part in self.path) or '(whole file)'}: {self.message}"]
        if self.allowed:
            words.append(f"allowed: {', '.join(self.allowed)}")
        if self.suggestion:
            words.append(f"did you mean `{self.suggestion}`?")
        return "; ".join(words)

    @property
    def suggestion(self) -> str:
        """What was meant: the only one that `given` abbreviates (lr), or one spelt much like it; '' for none."""
        short = [one for one in self.allowed if _is_abbreviation(self.written, one)]
        alike = difflib.get_close_matches(self.written, self.allowed, n=1, cutoff=0.5)
        return (short if len(short) == 1 else [*alike, ""])[0]


def _is_abbreviation(short: str, name: str) -> bool:
    """Whether `name` begins as `short` and has all of its letters in their order."""
    left = iter(name)
    return short[:1] == name[:1] and len(short) > 1 and all(letter in left for letter in short)


def build_problem(error: Any) -> Problem:
    """The validator's error in this file's words."""
    path = tuple(step for step in error["loc"] if step != "[key]")
    given, context = error["input"], error.get("ctx", {})
    allowed = tuple(str(one) for one in context.get("allowed", ()))
    match error["type"]:
        case "extra_forbidden":
            return Problem(path, "unknown key", allowed, str(path[-1]))
        case "missing":
            return Problem(path, "is missing", allowed)
        case "family":
            return Problem(path, error["msg"], allowed)
        case "kind":
            given = context["given"]
            return Problem((*path, "kind"), f"{quote_value(given)} is not known", allowed, str(given))
        case "literal_error":
            allowed = tuple(one.strip("'") for one in context["expected"].replace(" or ", ", ").split(", "))
            return Problem(path, f"{quote_value(given)} is not known", allowed, str(given))
        case kind if kind in _MESSAGES:
            write = f"; write {context['instead']}" if context.get("instead") else ""
            return Problem(
                path, f"{_MESSAGES[kind].format(**_trim_floats(context))}, not {describe_value(given)}{write}", allowed
            )
        case _:
            return Problem(path, error["msg"].removeprefix("Value error, ").replace("Input should", "must"))


_MESSAGES = {
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "scalar": "must be text, a number, true or false",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must have keys of its own",
    "model_type": "must have keys of its own",
    "too_long": "must have at most {max_length}",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "string_pattern_mismatch": "must match `{pattern}`",
}


def _trim_floats(context: ParamsTree) -> ParamsTree:
    return {n: int(v) if isinstance(v, float) and v.is_integer() else v for n, v in context.items()}


def quote_value(value: Any) -> str:
    """Text in quotes, cut where it is long; anything else as `shown`."""
    if not isinstance(value, str):
        return describe_value(value)
    return json.dumps(
        value if len(value) <= MAX_QUOTED_CHARACTERS else value[:MAX_QUOTED_CHARACTERS] + "…", ensure_ascii=False
    )


def describe_value(value: Any) -> str:
    """A value as a person would name it."""
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
            return "a part with keys"
        case _:
            return f"the value {str(value)[:MAX_QUOTED_CHARACTERS]}"
