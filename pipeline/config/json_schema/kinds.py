"""Sections whose `kind` decides their other keys: a member of a family, or own code at a dotted path."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from thalweg.config.json_schema.sections import DOTTED_PATH, Json, Schema, build_reference, describe_section
from thalweg.config.model import MODEL_KINDS, InitialScales, ModelConfig, build_sizes_class
from thalweg.config.numbers import (
    OPTIMIZER,
    OWN_TERM,
    SCHEDULE,
    TERM_CONFIGS,
    OfflineConfig,
    OptimizerConfig,
    ScheduleConfig,
    Strengths,
    TermConfig,
)
from thalweg.core import augmentations, losses, optimizers, schedules
from thalweg.core.hyperparameters import Op, list_defaults
from thalweg.core.network import import_model_class
from thalweg.data.examples import DataSource
from thalweg.schema.section import StrictModel, find_members
from thalweg.tasks import Task

PACKAGES: dict[type[StrictModel], str] = {DataSource: "thalweg.data.sources", Task: "thalweg.tasks"}
"""The families whose members are sections of their own, each with its package."""
NUMBERED: dict[type[StrictModel], tuple[type[StrictModel], Sequence[Op]]] = {
    OPTIMIZER: (OptimizerConfig, optimizers.KINDS),
    SCHEDULE: (ScheduleConfig, schedules.KINDS),
    OWN_TERM: (TermConfig, list(dict.fromkeys(loss for kinds in losses.FAMILIES.values() for loss in kinds))),
    **{section: (TermConfig, losses.FAMILIES[family]) for family, section in TERM_CONFIGS.items()},
}
"""The sections with the numbers of several kinds: what their kinds share, and the kinds."""
BASES: tuple[type[StrictModel], ...] = (*PACKAGES, ModelConfig, OptimizerConfig, ScheduleConfig, TermConfig)
"""What the kinds of each family share, own code too."""
IS_OWN: Json = {"required": ["kind"], "properties": {"kind": {"type": "string", "pattern": DOTTED_PATH}}}


def list_sections() -> list[type[StrictModel]]:
    """Return the sections of all families and kinds."""
    members = [member for package in PACKAGES.values() for member in find_members(package).values()]
    return [*BASES, *members, *NUMBERED, Strengths, OfflineConfig]


def add_kinds(schema: Schema) -> None:
    """Turn the definition of each family into a choice between its kinds and own code."""
    for base in BASES:
        own = schema.find_section(base) | {"additionalProperties": True}
        schema.definitions[name_own(schema, base)] = own | {"properties": own["properties"] | {"kind": {}}}
    for base, package in PACKAGES.items():
        members = find_members(package)
        summaries = {kind: schema.find_section(member).get("description", "") for kind, member in members.items()}
        _set_kinds(schema, base, summaries, {kind: schema.refer_to(member) for kind, member in members.items()})
    summaries = {kind: _summarize_docstring(import_model_class(kind)) for kind in MODEL_KINDS}
    _set_kinds(schema, ModelConfig, summaries, {kind: _describe_sizes(kind) for kind in MODEL_KINDS})
    for section, (base, ops) in NUMBERED.items():
        _add_numbers(schema, section, base, ops)
    for section, base in ((OPTIMIZER, OptimizerConfig), (SCHEDULE, ScheduleConfig), (OWN_TERM, TermConfig)):
        schema.definitions[schema.names[base]] = schema.refer_to(section)
    for section in (Strengths, OfflineConfig):
        _allow_own_augmentations(schema.find_section(section))


def name_own(schema: Schema, base: type[StrictModel]) -> str:
    """Return the name of the definition of a family's section whose kind is own code; its further keys are free."""
    return f"Own{schema.names[base]}"


def _name_numbers(schema: Schema, section: type[StrictModel]) -> str:
    """Return the name of the definition of a section with the numbers of its built-in kinds."""
    return f"{schema.names[section]}Numbers"


def choose_name(summaries: Mapping[str, str]) -> Json:
    """Describe the value of a key that takes one of these names, or the dotted path of own code."""
    names = {"enum": list(summaries)}
    described = names | {"enumDescriptions": list(summaries.values())} if any(summaries.values()) else names
    return {"anyOf": [described, {"type": "string", "pattern": DOTTED_PATH}]}


def _set_kinds(
    schema: Schema, base: type[StrictModel], summaries: Mapping[str, str], sections: Mapping[str, Json]
) -> None:
    """Let a family's definition choose among the sections of its kinds."""
    choices = [
        {"if": {"required": ["kind"], "properties": {"kind": {"const": kind}}}, "then": section}
        for kind, section in sections.items()
    ]
    schema.definitions[schema.names[base]] = _choose_kind(schema, base, summaries, {"allOf": choices})


def _choose_kind(schema: Schema, base: type[StrictModel], summaries: Mapping[str, str], built_in: Json) -> Json:
    return {
        "description": schema.find_section(base).get("description", ""),
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": choose_name(summaries)},
        "if": IS_OWN,
        "then": build_reference(name_own(schema, base)),
        "else": built_in,
    }


def _add_numbers(schema: Schema, section: type[StrictModel], base: type[StrictModel], ops: Sequence[Op]) -> None:
    """Turn a section with the numbers of several kinds into a choice between these kinds and own code."""
    numbers = schema.find_section(section)
    numbers["properties"]["kind"] = {}
    for number in {name for op in ops for name in list_defaults(op)}:
        users = [f"{op.__name__} (default {list_defaults(op)[number]:g})" for op in ops if number in list_defaults(op)]
        numbers["properties"][number]["description"] = f"for {', '.join(users)}"
    schema.definitions[_name_numbers(schema, section)] = numbers
    summaries = {op.__name__: _summarize_docstring(op) for op in ops}
    reference = build_reference(_name_numbers(schema, section))
    schema.definitions[schema.names[section]] = _choose_kind(schema, base, summaries, reference)


def _describe_sizes(kind: str) -> Json:
    """Describe the section of a model's sizes."""
    sizes = describe_section(build_sizes_class(kind))
    for name, size in sizes["properties"].items():
        if name not in InitialScales.model_fields:
            size["description"] = f"size of {kind}"
    sizes["properties"] = {"kind": {}} | sizes["properties"]
    return sizes


def _allow_own_augmentations(strengths: Json) -> None:
    """Let a part of `augment` have dotted paths as keys, in one piece or as keys within keys."""
    names = [name for name in strengths["properties"] if name != "copies"]
    for name in names:
        strengths["properties"][name]["description"] = _summarize_docstring(getattr(augmentations, name))
    strength = {"type": "number", "minimum": 0.0, "maximum": 1.0}
    message = f"is no augmentation: {', '.join(names)}, or the dotted path of your own"
    strengths["patternProperties"] = {DOTTED_PATH: strength}
    strengths["additionalProperties"] = {"type": "object", "errorMessage": message}


def _summarize_docstring(member: Any) -> str:
    """Return the first paragraph of a docstring."""
    return " ".join((inspect.getdoc(member) or "").split("\n\n")[0].split())
