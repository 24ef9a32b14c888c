"""What the first stages would stumble over: known before they run, but not from the params file alone."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from thalweg.config.experiment import Config, DataConfig, TrainingConfig
from thalweg.config.model import MODEL_KINDS, ModelConfig
from thalweg.config.numbers import AugmentConfig
from thalweg.core import rng
from thalweg.core.types import DataSpec
from thalweg.data import splits
from thalweg.data.examples import Examples
from thalweg.schema.problem import KeyPath, ParamsTree, Problem, quote_value
from thalweg.schema.section import build_member_validator, find_members
from thalweg.system import files
from thalweg.tasks import Task
from thalweg.training import build


def find_data_problems(tree: ParamsTree, problems: list[Problem]) -> Iterator[Problem]:
    """What is wrong beside what is `problems` with the file's content; each needs certain parts of it to be right."""
    bad = {one.path[0] for one in problems} | (Config.model_fields.keys() - tree.keys())
    if bad & {"seed", "data"}:
        return
    data = DataConfig.model_validate(tree["data"])
    if lacking := data.source.find_missing_file(Path(data.path)):
        there = f"has no {lacking}" if files.path_exists(Path(data.path)) else "is not there"
        yield Problem(
            ("data", "path"),
            f"{quote_value(data.path)} {there}; name the folder that holds {data.source.REQUIRED_FILES}",
        )
    outline = data.source.build_outline(rng.derive_seed(tree["seed"], "source"))
    if outline is None:
        return
    if len(outline) and not bad & {"augment", "training"}:
        searched = {} if "study" in bad else tree["study"]["space"]
        yield from _find_oversized_batches(
            tree, data, outline, searched.get("training.batch_size", {}).get("choices", ())
        )
    if "task" in bad:
        return
    task = build_member_validator("thalweg.tasks")(tree["task"])
    if unserved := _find_missing_labels(task, outline):
        kinds = {kind: one for kind, one in find_members("thalweg.tasks").items() if kind != task.kind}
        free = [
            kind for kind, one in kinds.items() if not any(each.is_required() for each in one.model_fields.values())
        ]
        others = tuple(kind for kind in free if not _find_missing_labels(kinds[kind](), outline))
        yield Problem(("task", "kind"), f"`{task.kind}` cannot be done: {'; '.join(unserved)}", others)
    elif "model" not in bad:
        yield from _find_model_problems(
            ModelConfig.model_validate(tree["model"]), task, outline, background=bool(data.background)
        )


def _find_missing_labels(task: Any, outline: Examples) -> list[str]:
    """What the examples lack to serve a task; nothing where their labels are not known yet."""
    return task.find_data_faults(outline) if outline.labels else []


def _find_oversized_batches(
    tree: ParamsTree, data: DataConfig, outline: Examples, searched_sizes: Iterable[int]
) -> Iterator[Problem]:
    """Mini-batches, the file's and those that are searched, larger than the smallest part to train on."""
    try:
        parts = splits.split_examples(data.split, outline, rng.derive_seed(tree["seed"], "split"))
    except files.UserError as error:
        yield Problem(("data", "split"), str(error).removeprefix("data.split: "))
        return
    copies = AugmentConfig.model_validate(tree["augment"]).offline.copies
    smallest = min(len(rows) for rows in parts.train) * (1 + copies)
    sizes: dict[KeyPath, int] = {("training", "batch_size"): TrainingConfig.model_validate(tree["training"]).batch_size}
    sizes |= {("study", "space", "training.batch_size", "choices", i): size for i, size in enumerate(searched_sizes)}
    for path, size in sizes.items():
        if what := build.find_batch_size_problem(size, smallest):
            yield Problem(path, what)


def _find_model_problems(model: ModelConfig, task: Task, outline: Examples, *, background: bool) -> Iterator[Problem]:
    """A model that does not make what the task needs."""
    spec = DataSpec(
        build.build_data_spec(outline).image_shape, len(outline.classes) or 2
    )  # classes that are not known yet are some

    def fault(one: ModelConfig) -> str:
        try:
            build.build_network(task, one, spec, background=background)
        except files.UserError as error:
            return str(error).removeprefix("model: ")
        return ""

    if what := fault(model):
        fit = tuple(kind for kind in MODEL_KINDS if kind != model.kind and not fault(ModelConfig(kind=kind)))
        yield Problem(("model", "kind"), what, fit)
