"""Rules across sections: own code that the study searches, and what the task decides."""

from collections.abc import Iterator

from thalweg.config.experiment import Config
from thalweg.config.json_schema import space
from thalweg.config.json_schema.kinds import IS_OWN, name_own
from thalweg.config.json_schema.sections import DOTTED_PATH, Json, Schema, build_reference
from thalweg.config.json_schema.tasks import list_objectives, list_required_terms, list_tasks, list_terms
from thalweg.config.numbers import (
    OPTIMIZER,
    OWN_TERM,
    SCHEDULE,
    TERM_CONFIGS,
    LossConfig,
    OptimizerConfig,
    ScheduleConfig,
    TermConfig,
)

NUMBERED = r"(optimizer|schedule|loss\.terms\..+)\.kind"
"""The searched kinds whose numbers stand in a section beside those of the file's own kind."""


def add_rules(schema: Schema) -> None:
    """Let the root of a schema check losses, optimizers, schedules and metrics by what stands elsewhere in the file."""
    root = schema.find_section(Config)
    kind: Json = {"type": "object", "required": ["kind"]}
    for name, section in (("optimizer", OPTIMIZER), ("schedule", SCHEDULE)):
        root["properties"][name] = kind | {"description": schema.find_section(section)["description"]}
    schema.find_section(LossConfig)["properties"]["terms"]["additionalProperties"] = kind
    root["allOf"] = [
        {"if": _searches_own(NUMBERED), "then": _build_open_rule(schema), "else": _build_strict_rule(schema)},
        _apply_to_study({"not": _uses_own()}, _restrict_space(space.list_places(schema), *space.FREE_PATHS)),
        *_list_task_rules(schema),
    ]


def _build_open_rule(schema: Schema) -> Json:
    """Check only what all kinds share: a searched own kind adds its numbers to the section of the file's kind."""
    optimizer, schedule, term = (
        build_reference(name_own(schema, base)) for base in (OptimizerConfig, ScheduleConfig, TermConfig)
    )
    return {"properties": {"optimizer": optimizer, "schedule": schedule} | _nest_terms({"additionalProperties": term})}


def _build_strict_rule(schema: Schema) -> Json:
    """Check all keys; the task says which terms there are, and which losses suit each of them."""
    own = _nest_terms({"additionalProperties": schema.refer_to(OWN_TERM)})
    rules = [{"if": {"properties": {"task": IS_OWN}}, "then": {"properties": own}}]
    for kind, task in list_tasks().items():
        terms = {name: schema.refer_to(TERM_CONFIGS[family]) for name, family in list_terms(task).items()}
        known = {"properties": terms, "required": list_required_terms(task), "additionalProperties": False}
        rules.append({"if": _is_task(kind), "then": {"properties": _nest_terms(known)}})
    return {
        "properties": {"optimizer": schema.refer_to(OPTIMIZER), "schedule": schema.refer_to(SCHEDULE)},
        "allOf": rules,
    }


def _nest_terms(terms: Json) -> Json:
    return {"loss": {"properties": {"terms": terms}}}


def _list_task_rules(schema: Schema) -> Iterator[Json]:
    """Yield what each task can search, and what it allows as an objective if the file adds no metrics of its own."""
    for kind, task in list_tasks().items():
        places = space.list_task_places(schema, task)
        yield _apply_to_study(_is_task(kind), {"space": {"properties": space.describe_places(places)}})
        ours = {"allOf": [_is_task(kind), {"not": _uses_own()}]}
        yield _apply_to_study(ours, _restrict_space(places, r"(?!task\.|loss\.terms\.).*"))
        objective = {"enum": list_objectives(task)}
        constraints = {"propertyNames": {"enum": list(task.METRIC_DIRECTIONS)}}
        metrics = {"objective": objective, "also": {"items": objective}, "constraints": constraints}
        yield _apply_to_study(_is_task(kind, metrics={"maxItems": 0}), metrics)


def _restrict_space(places: space.Places, *others: str) -> Json:
    """Let the study search, and name in conditions and trials, these places and paths that fit other patterns."""
    names = {"propertyNames": space.restrict_names(places, *others)}
    conditions = {"": {"properties": {"when": names}}}  # the pattern fits every parameter
    parameters = names | {"patternProperties": space.restrict_places(places) | conditions}
    return {"space": parameters, "enqueue": {"items": names}}


def _apply_to_study(condition: Json, keys: Json) -> Json:
    return {"if": condition, "then": {"properties": {"study": {"properties": keys}}}}


def _is_task(kind: str, **options: Json) -> Json:
    """Hold where the file has this task, with these options."""
    task = {"required": ["kind"], "properties": {"kind": {"const": kind}, **options}}
    return {"required": ["task"], "properties": {"task": task}}


def _uses_own() -> Json:
    """Hold where a model, an optimizer, a schedule or a loss is own code, in the file or in the search."""
    sections = [{"required": [name], "properties": {name: IS_OWN}} for name in ("model", "optimizer", "schedule")]
    has_own_term = {
        "required": ["terms"],
        "properties": {"terms": _break_rule({"additionalProperties": _negate_rule(IS_OWN)})},
    }
    has_own_loss = {"required": ["loss"], "properties": {"loss": has_own_term}}
    return {"anyOf": [*sections, has_own_loss, _searches_own(rf"(model\.kind|{NUMBERED})")]}


def _searches_own(paths: str) -> Json:
    """Hold where own code is among the choices of one of these paths."""
    own = {"type": "array", "contains": {"type": "string", "pattern": DOTTED_PATH}}
    searched = _break_rule({"patternProperties": {f"^{paths}$": {"properties": {"choices": _negate_rule(own)}}}})
    study = {"required": ["space"], "properties": {"space": searched}}
    return {"required": ["study"], "properties": {"study": study}}


def _break_rule(each: Json) -> Json:
    """Hold for a mapping that does not satisfy a rule on each of its values: one of them does not."""
    return {"type": "object", "not": each}


def _negate_rule(condition: Json) -> Json:
    return {"not": condition}
