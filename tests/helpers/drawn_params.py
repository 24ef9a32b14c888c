"""Random params files, drawn from the registered kinds and from the types and bounds of their values."""

from pathlib import Path
from typing import Any, Literal, cast, get_args, get_origin

import annotated_types
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from thalweg.config.model import MODEL_KINDS
from thalweg.config.tree import flatten_tree
from thalweg.core import losses, optimizers, schedules
from thalweg.core.hyperparameters import Op, list_bounds
from thalweg.core.network import list_model_sizes
from thalweg.data.examples import DataSource
from thalweg.data.splits import SplitConfig
from thalweg.schema.section import find_members

Tree = dict[str, Any]
OWN_METRIC = "tests.helpers.own_metrics.largest"
SHARES = st.sampled_from([0.0, 0.0, 0.5, 1.0])


def build_number_strategy(
    low: float | None, high: float | None, *, open_low: bool, open_high: bool
) -> st.SearchStrategy[float]:
    """Numbers within bounds, ends included where they are allowed."""
    first = -1.0 if low is None else low
    last = first + 2.0 if high is None else high
    inner = [first + share * (last - first) for share in (0.25, 0.5, 0.9)]
    return st.sampled_from([*([] if open_low else [first]), *inner, *([] if open_high else [last])])


def build_interval_strategy(interval: annotated_types.Interval) -> st.SearchStrategy[float]:
    low = interval.gt if interval.ge is None else interval.ge
    high = interval.lt if interval.le is None else interval.le
    return build_number_strategy(low, high, open_low=interval.ge is None, open_high=interval.le is None)  # type: ignore[arg-type]


def build_value_strategy(annotation: Any, metadata: Any = ()) -> st.SearchStrategy[Any]:
    """Values of a field's type within its bounds; small whole numbers."""
    options = get_args(annotation)
    if get_origin(annotation) is Literal:
        return st.sampled_from(options)
    if type(None) in options:
        inner = next(option for option in options if option is not type(None))
        return st.none() | build_value_strategy(inner, metadata)
    if get_origin(annotation) is tuple:
        return st.lists(build_value_strategy(options[0]), min_size=1, max_size=3)
    if annotation is bool:
        return st.booleans()
    bounds = {
        name: getattr(constraint, name)
        for constraint in metadata
        for name in ("gt", "ge", "lt", "le")
        if hasattr(constraint, name)
    }
    if annotation is int:
        low = int(bounds.get("ge", 1))
        return st.integers(low, min(low + 4, int(bounds.get("le", low + 4))))
    if annotation is float:
        return build_interval_strategy(annotated_types.Interval(**bounds))
    raise ValueError(f"no strategy draws {annotation}")


def build_field_strategy(model: Any, leave_out: tuple[str, ...] = ("kind",)) -> st.SearchStrategy[Tree]:
    """Some of a section's fields."""
    fields: dict[str, FieldInfo] = {n: field for n, field in model.model_fields.items() if n not in leave_out}
    strategies = {name: build_value_strategy(field.annotation, field.metadata) for name, field in fields.items()}
    return st.fixed_dictionaries({}, optional=strategies)


def build_op_strategy(op: Op) -> st.SearchStrategy[Tree]:
    return st.fixed_dictionaries(
        {}, optional={name: build_interval_strategy(interval) for name, interval in list_bounds(op).items()}
    )


@st.composite
def draw_member(draw: st.DrawFn, members: Any) -> Tree:
    member = draw(st.sampled_from(members))
    return {"kind": member.__name__} | draw(build_op_strategy(member))


@st.composite
def draw_sections(draw: st.DrawFn, task_kind: str) -> Tree:
    """The sections that can be searched, for a task."""
    task_class: Any = find_members("thalweg.tasks")[task_kind]
    metrics = st.fixed_dictionaries({}, optional={"metrics": st.just([OWN_METRIC])})
    task = {"kind": task_kind} | draw(build_field_strategy(task_class, ("kind", "metrics"))) | draw(metrics)
    families = task_class.model_validate(task).loss_families
    model = draw(st.sampled_from(MODEL_KINDS))
    sizes = {name: build_value_strategy(size.annotation) for name, size in list_model_sizes(model).items()}
    terms = {name: draw(draw_member(losses.FAMILIES[family])) for name, family in families.items()}
    optimizer = draw(draw_member(optimizers.KINDS))
    names = task_class.model_validate(task).allowed_augmentations
    epochs = draw(st.integers(1, 2))
    return {
        "task": task,
        "model": {"kind": model} | draw(st.fixed_dictionaries({}, optional=sizes)),
        "loss": {"terms": terms, "balance": draw(st.sampled_from(losses.BALANCES))},
        "optimizer": optimizer | {"learning_rate": 0.001, "clip": draw(st.sampled_from([None, 1.0]))},
        "schedule": draw(draw_member(schedules.KINDS)),
        "augment": {"offline": {}, "online": {name: draw(SHARES) for name in names}},
        "training": {"epochs": epochs, "batch_size": draw(st.integers(1, 2)), "validate_every": 1},
    }


def list_pairs(sources: list[tuple[Path, DataSource]]) -> list[tuple[Path, DataSource, str]]:
    """Each source with each kind of task that its examples suit."""
    tasks = cast(dict[str, Any], find_members("thalweg.tasks"))
    return [
        (path, source, kind)
        for path, source in sources
        for kind, task in tasks.items()
        if (outline := source.build_outline(path, 0)) is not None and not task().find_data_faults(outline)
    ]


@st.composite
def draw_params(draw: st.DrawFn, pairs: list[tuple[Path, DataSource, str]]) -> Tree:
    """A params file for a source and a task; its choices are between its own values and those of another file."""
    path, source, task_kind = draw(st.sampled_from(pairs))
    first, second = draw(draw_sections(task_kind)), draw(draw_sections(task_kind))
    directions = find_members("thalweg.tasks")[task_kind].METRIC_DIRECTIONS  # type: ignore[attr-defined]
    by = draw(build_value_strategy(SplitConfig.model_fields["by"].annotation))
    return first | {
        "seed": draw(st.integers(0, 3)),
        "data": {
            "path": str(path),
            "source": source.model_dump(),
            "background": draw(st.sampled_from(["", "", "."])) if draw(st.booleans()) else "",
            "split": {"by": by, "validation": 0.34, "test": 0.0, "folds": 2},
        },
        "study": {
            "trials": 2,
            "cohort": 2,
            "sampler": draw(st.sampled_from(["tpe", "random", "quasi_random", "grid", "nsga2"])),
            "objective": draw(st.sampled_from([name for name, way in directions.items() if way in ("min", "max")])),
            "space": draw(draw_space(first, second)),
        },
        "confirm": {},
        "diagnose": {},
        "report": {},
    }


@st.composite
def draw_space(draw: st.DrawFn, first: Tree, second: Tree) -> Tree:
    """A few parameters with the values of two files; one that only the second file's kind has depends on that kind."""
    values, others = dict(flatten_tree(first)), dict(flatten_tree(second))
    differing = sorted(name for name, value in others.items() if values.get(name) != value and not _is_list(value))
    names = draw(st.lists(st.sampled_from(differing), unique=True, max_size=4)) if differing else []
    space: Tree = {}
    for name in names:
        kind = f"{name.rpartition('.')[0]}.kind"
        if name in values:
            space[name] = {"choices": [values[name], others[name]]}
        elif kind in values and values[kind] != others.get(kind):
            space[kind] = {"choices": [values[kind], others[kind]]}
            space[name] = {"choices": [others[name]], "when": {kind: others[kind]}}
    return space


def _is_list(value: Any) -> bool:
    return isinstance(value, list)
