"""The search space: the places that can be searched, and the values that each of them takes."""

import re
from collections.abc import Iterable, Iterator

from thalweg.config.experiment import TrainingConfig
from thalweg.config.json_schema.sections import Json, Schema
from thalweg.config.json_schema.tasks import list_terms
from thalweg.config.model import ModelConfig
from thalweg.config.numbers import OPTIMIZER, SCHEDULE, TERM_CONFIGS, LossConfig, Strengths
from thalweg.config.spaces import START_PATHS, STATIC_PATHS, TRACED_PATHS, is_static_path
from thalweg.config.study import ParameterConfig, StudyConfig
from thalweg.tasks import Task

BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
CONSTRAINTS = (*BOUNDS, "type", "enum", "anyOf", "pattern")
"""The keywords of a value that hold for its choices, too."""
Places = dict[str, list[Json]]
"""Paths of keys, each with the single values of its place: one for each kind that has it."""
FREE_PATHS = (r"task\..+", r"loss\.terms\..+", r"augment\.online\..+\..+")
"""Patterns of paths that do not follow from the built-in kinds: the task decides, or own augmentations."""
NO_RANGE: Json = {"errorMessage": "a parameter with choices takes no low, high, log, whole or points"}


def add_search_space(schema: Schema) -> None:
    """Give `study.space` its keys."""
    _add_parameter_rules(schema.find_section(ParameterConfig))
    traced, static, start = ("|".join(map(re.escape, paths)) for paths in (TRACED_PATHS, STATIC_PATHS, START_PATHS))
    schema.find_section(StudyConfig)["properties"]["space"] |= {
        "properties": describe_places(list_places(schema)),
        "patternProperties": {
            f"^({traced}|{static})": schema.refer_to(ParameterConfig),
            f"^(?!({start})$)({static})": {"required": ["choices"]},
        },
        "additionalProperties": False,
    }


def list_places(schema: Schema) -> Places:
    """List the paths that any file may search, each with the values there, one for each kind that has it."""
    sections = {
        "optimizer": schema.find_section(OPTIMIZER),
        "schedule": schema.find_section(SCHEDULE),
        "augment.online": schema.find_section(Strengths),
        "model": schema.find_section(ModelConfig),
    }
    training, balance = (
        schema.find_section(TrainingConfig)["properties"],
        schema.find_section(LossConfig)["properties"]["balance"],
    )
    static = (name for name in training if is_static_path(f"training.{name}"))
    others = [("loss.balance", balance), *((f"training.{name}", training[name]) for name in static)]
    found = (place for path, section in sections.items() for place in _list_keys(schema, path, section))
    return _gather_values([*found, *others])


def list_task_places(schema: Schema, task: type[Task]) -> Places:
    """List the paths that a file with this task can search, beside those of `list_places`."""
    places = [*_list_keys(schema, "task", schema.find_section(task))]
    for term, family in list_terms(task).items():
        places += _list_keys(schema, f"loss.terms.{term}", schema.find_section(TERM_CONFIGS[family]))
    return _gather_values(places)


def describe_places(places: Places) -> Json:
    """Describe the parameters that may stand at these paths, whatever own code the file uses."""
    return {path: _describe_place(path, values) for path, values in places.items() if values}


def restrict_places(places: Places) -> Json:
    """Describe the values at these paths where own code may have others: numbers of kinds, and sizes of models.

    They are patterns, because an editor would offer a second time what stands in `properties`.
    """
    return {
        f"^{re.escape(path)}$": _restrict_values(values)
        for path, values in places.items()
        if values and not _is_fixed(path)
    }


def restrict_names(places: Places, *others: str) -> Json:
    """Describe the names of parameters: these paths, what lies below them, and paths that fit other patterns.

    It is a pattern for the reason that `restrict_places` has.
    """
    paths = "|".join(map(re.escape, places))
    message = "is no path that this file can search"
    return {"pattern": f"^(({paths})(\\..+)?|{'|'.join(others)})$", "errorMessage": message}


def _add_parameter_rules(parameter: Json) -> None:
    """Say what `ParameterConfig` checks after its keys: a range or choices, not both."""
    has_choices = {"required": ["choices"], "properties": {"choices": {"type": "array"}}}
    empty, false = NO_RANGE | {"type": "null"}, NO_RANGE | {"const": False}
    choices, number, whole = {"minItems": 1, "uniqueItems": True}, {"type": "number"}, {"multipleOf": 1}
    parameter["allOf"] = [
        {
            "if": has_choices,
            "then": {
                "properties": {"choices": choices, "log": false, "whole": false}
                | dict.fromkeys(("low", "high", "points"), empty)
            },
            "else": {"required": ["low", "high"], "properties": {"low": number, "high": number}},
        },
        {"if": _is_true("log"), "then": {"properties": {"low": {"exclusiveMinimum": 0}}}},
        {"if": _is_true("whole"), "then": {"properties": {"low": whole, "high": whole}}},
    ]


def _is_true(key: str) -> Json:
    return {"required": [key], "properties": {key: {"const": True}}}


def _list_keys(schema: Schema, path: str, section: Json) -> Iterator[tuple[str, Json]]:
    """Yield the paths and values of a section's keys, of all kinds that are built in."""
    section = schema.follow_reference(section)
    yield from ((f"{path}.{name}", value) for name, value in section.get("properties", {}).items())
    for branch in section.get("allOf", ()):
        yield from _list_keys(schema, path, branch["then"])
    if "else" in section:
        yield from _list_keys(schema, path, section["else"])


def _is_single(value: Json) -> bool:
    options = [value, *value.get("anyOf", ())]
    return any(keyword in value for keyword in CONSTRAINTS) and not any(map(_is_other, options))


def _is_other(value: Json) -> bool:
    return "$ref" in value or "const" in value or value.get("type") in ("array", "object")


def _gather_values(places: Iterable[tuple[str, Json]]) -> Places:
    gathered: Places = {}
    for path, value in places:
        values = gathered.setdefault(path, [])
        if _is_single(value) and value not in values:
            values.append(value)
    return gathered


def _describe_place(path: str, values: list[Json]) -> Json:
    described = {"description": values[0]["description"]} if "description" in values[0] else {}
    restricted = _restrict_values(values) if _is_fixed(path) else {}
    has_range = not is_static_path(path) and any(map(_is_number, _list_options(values)))
    return {"type": "object"} | described | restricted | ({} if has_range else {"required": ["choices"]})


def _restrict_values(values: list[Json]) -> Json:
    """Let the choices and the ends of a parameter be values of its place."""
    constraints = [{key: value[key] for key in CONSTRAINTS if key in value} for value in values]
    restricted: Json = {"choices": {"items": constraints[0] if len(constraints) == 1 else {"anyOf": constraints}}}
    for number in filter(_is_number, _list_options(values)):
        ends = {key: number[key] for key in BOUNDS if key in number}
        restricted |= {"low": ends, "high": ends}
    return {"properties": restricted}


def _is_fixed(path: str) -> bool:
    """Return whether own code cannot change which values a path takes."""
    return path.startswith(("augment.", "task.", "training.", "loss.balance")) or path.endswith(".kind")


def _list_options(values: list[Json]) -> list[Json]:
    return [option for value in values for option in value.get("anyOf", [value])]


def _is_number(value: Json) -> bool:
    return value.get("type") in ("number", "integer")
