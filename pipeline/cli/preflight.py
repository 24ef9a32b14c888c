"""Find problems between the params file and the data before the first stage runs."""

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
    """Return problems with the data, the batch size, the task and the model.

    `problems` are those of the file so far; a check that needs an invalid section is skipped.
    """
    invalid = {problem.path[0] for problem in problems} | (Config.model_fields.keys() - tree.keys())
    if invalid & {"seed", "data"}:
        return
    data = DataConfig.model_validate(tree["data"])
    if missing := data.source.find_missing_file(Path(data.path)):
        fault = f"has no {missing}" if files.path_exists(Path(data.path)) else "does not exist"
        message = f"{quote_value(data.path)} {fault}; set it to the folder with {data.source.REQUIRED_FILES}"
        yield Problem(("data", "path"), message)
    outline = data.source.build_outline(rng.derive_seed(tree["seed"], "source"))
    if outline is None:
        return
    if len(outline) and not invalid & {"augment", "training"}:
        space = {} if "study" in invalid else tree["study"]["space"]
        searched_sizes = space.get("training.batch_size", {}).get("choices", ())
        yield from _find_oversized_batches(tree, data, outline, searched_sizes)
    if "task" in invalid:
        return
    task = build_member_validator("thalweg.tasks")(tree["task"])
    if faults := _find_missing_labels(task, outline):
        others = tuple(
            kind
            for kind, other in find_members("thalweg.tasks").items()
            if kind != task.kind
            and not any(field.is_required() for field in other.model_fields.values())
            and not _find_missing_labels(other(), outline)
        )
        yield Problem(("task", "kind"), f"the data does not suit `{task.kind}`: {'; '.join(faults)}", others)
    elif "model" not in invalid:
        model = ModelConfig.model_validate(tree["model"])
        yield from _find_model_problems(model, task, outline, background=bool(data.background))


def _find_missing_labels(task: Any, outline: Examples) -> list[str]:
    """Return what the examples lack for a task; nothing if their labels are not known yet."""
    return task.find_data_faults(outline) if outline.labels else []


def _find_oversized_batches(
    tree: ParamsTree, data: DataConfig, outline: Examples, searched_sizes: Iterable[int]
) -> Iterator[Problem]:
    """Return the batch sizes, of the file and of the search, above the smallest training split."""
    try:
        split = splits.split_examples(data.split, outline, rng.derive_seed(tree["seed"], "split"))
    except files.UserError as error:
        yield Problem(("data", "split"), str(error).removeprefix("data.split: "))
        return
    copies = AugmentConfig.model_validate(tree["augment"]).offline.copies
    smallest = min(len(rows) for rows in split.train) * (1 + copies)
    sizes: dict[KeyPath, int] = {("training", "batch_size"): TrainingConfig.model_validate(tree["training"]).batch_size}
    sizes |= {("study", "space", "training.batch_size", "choices", i): size for i, size in enumerate(searched_sizes)}
    for path, size in sizes.items():
        if message := build.find_batch_size_problem(size, smallest):
            yield Problem(path, message)


def _find_model_problems(model: ModelConfig, task: Task, outline: Examples, *, background: bool) -> Iterator[Problem]:
    """Return the problem of a model that cannot be built or whose output does not suit the task."""
    class_count = len(outline.classes) or 2  # of classes that are not known yet there are at least 2
    spec = DataSpec(build.build_data_spec(outline).image_shape, class_count)

    def find_fault(candidate: ModelConfig) -> str:
        try:
            build.build_network(task, candidate, spec, background=background)
        except files.UserError as error:
            return str(error).removeprefix("model: ")
        return ""

    if message := find_fault(model):
        suitable = (kind for kind in MODEL_KINDS if kind != model.kind and not find_fault(ModelConfig(kind=kind)))
        yield Problem(("model", "kind"), message, tuple(suitable))
