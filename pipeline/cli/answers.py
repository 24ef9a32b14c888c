"""What commands print with `--json`: one JSON object, whose fields docs/programs.md describes."""

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ParamsFault:
    """An error in a params file: its line, from 1 (0: no line has it), and what is wrong."""

    line: int
    message: str


@dataclass(frozen=True)
class CheckAnswer:
    """The errors of a params file; of one without errors, what a study of it does.

    `size` is of the network, the lanes and the examples, in words. `seconds`: of each stage, if `--time` measured them.
    """

    file: str
    errors: tuple[ParamsFault, ...] = ()
    trials: int = 0
    cohorts: int = 0
    programs: int = 0
    size: str = ""
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] | None = None


@dataclass(frozen=True)
class PresetAnswer:
    """A preset: what it shows, and its minutes and result as measured on two cores."""

    name: str
    topic: str
    minutes: float | None
    result: str


@dataclass(frozen=True)
class PresetsAnswer:
    """The presets, as `thalweg use` lists them."""

    presets: tuple[PresetAnswer, ...]


@dataclass(frozen=True)
class UseAnswer:
    """The preset that was written, and what must still be set: `errors`.

    `values`: settings that `--minutes` chose, by dotted path; `seconds`: of each stage then; `description`: how.
    """

    preset: str
    file: str
    values: dict[str, Any]
    seconds: dict[str, float] | None
    errors: tuple[ParamsFault, ...]
    notes: tuple[str, ...]
    description: str = ""


@dataclass(frozen=True)
class CompareAnswer:
    """How a comparison ended: B - A of `metric`, with the interval that holds whenever the comparison stops.

    `verdict`: better, worse, same or open. `pairs` were judged, of at most as many as `seeds`; `pairs_needed` would
    settle it if the difference stayed as it is (null: it is settled, or more than 1,000). `alpha`: how often a
    comparison of equals ends with a difference. `tree`: git's hash of the code.
    """

    verdict: str
    a: str
    b: str
    metric: str
    minimize: bool
    smallest: float | None
    seeds: list[int]
    pairs: int
    mean: float
    low: float | None
    high: float | None
    alpha: float
    pairs_needed: int | None
    tree: str
    date: str


def format_answer(answer: Any) -> str:
    """Format the dataclass of an answer as one line of JSON; a value that is not finite is null."""
    return json.dumps(_replace_infinite(asdict(answer)), allow_nan=False, ensure_ascii=False)


def _replace_infinite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _replace_infinite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_replace_infinite(inner) for inner in value]
    return None if isinstance(value, float) and value - value != 0 else value
