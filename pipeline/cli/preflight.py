"""Find problems between the params file and the data before the first stage runs."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import jax

from thalweg.config import covering, spaces
from thalweg.config.experiment import Config, DataConfig, TrainingConfig
from thalweg.config.model import MODEL_KINDS, ModelConfig
from thalweg.config.numbers import AugmentConfig
from thalweg.core import rng
from thalweg.core.network import Network
from thalweg.core.types import DataSpec
from thalweg.data import own_source, splits
from thalweg.data.examples import DataSource, Examples
from thalweg.data.memory import find_memory_problem, find_weights_problem
from thalweg.schema.problem import KeyPath, ParamsTree, Problem, quote_value
from thalweg.schema.section import build_member_validator, find_members
from thalweg.system import files
from thalweg.system.counts import join_first
from thalweg.system.members import MemberError, blame_member, describe_error, is_dotted, list_dotted_members
from thalweg.tasks import Task
from thalweg.training import build, trace
from thalweg.training.own_task import find_task_fault
from thalweg.training.own_values import list_value_faults

UNKNOWN_EXAMPLES = "the examples are not known before they are read"


def find_data_problems(tree: ParamsTree, problems: list[Problem]) -> Iterator[Problem]:
    """Return problems with the data, the batch size, the task, the model, and each program of the search space.

    `problems` are those of the file so far; a check that needs an invalid section is skipped.
    """
    invalid = {problem.path[0] for problem in problems} | (Config.model_fields.keys() - tree.keys())
    yield from find_own_problems(tree, invalid)
    if invalid & {"seed", "data"}:
        return
    try:
        yield from _find_data_problems(tree, problems, invalid)
    except MemberError as error:
        yield build_member_problem(tree, error)
    except Exception as error:
        members = list_dotted_members(tree)
        unchecked = [path for keys, path in members.items() if keys[0] in ("task", "data")]
        if not (path := blame_member(error, members.values()) or "".join(unchecked[:1])):
            raise
        yield build_member_problem(tree, MemberError(path, f"fails: {describe_error(error)}"))


def find_own_problems(tree: ParamsTree, invalid: set[str | int]) -> Iterator[Problem]:
    """Return the faults of own code that no program runs: sections of the report, and the sampler."""
    sections: dict[str, Any] = {}
    for keys, path in list_dotted_members(tree).items():
        try:
            # the report's charts and Optuna take a second to import, which no other check needs
            if keys[:2] == ("report", "sections"):
                from thalweg.reporting.sections import load_own_section

                if path not in sections:
                    sections[path] = load_own_section(path, sections.values())
            elif keys == ("study", "sampler") and "study" not in invalid:
                from thalweg.search.samplers import build_own_sampler

                build_own_sampler(path, 0)
        except MemberError as error:
            yield Problem(keys, str(error))


def _find_data_problems(tree: ParamsTree, problems: list[Problem], invalid: set[str | int]) -> Iterator[Problem]:
    data = DataConfig.model_validate(tree["data"])
    outline = build_outline(data, tree["seed"])
    section_problems = list(_find_section_problems(tree, invalid, data, outline))
    yield from section_problems
    if not problems and not section_problems and outline is not None and len(outline):
        yield from _find_program_problems(tree, outline)


def _find_section_problems(
    tree: ParamsTree, invalid: set[str | int], data: DataConfig, outline: Examples | None
) -> Iterator[Problem]:
    if missing := data.source.find_missing_file(Path(data.path)):
        fault = f"has no {missing}" if files.path_exists(Path(data.path)) else "does not exist"
        message = f"{quote_value(data.path)} {fault}; set it to the folder with {data.source.REQUIRED_FILES}"
        if fitting := _list_fitting_sources(Path(data.path)):
            message += f"; or set data.source.kind, for {join_first(fitting)} finds there what it needs"
        yield Problem(("data", "path"), message)
    if outline is None:
        return
    if message := find_memory_problem(outline):
        yield Problem(("data", "source"), message)
    if len(outline) and not invalid & {"augment", "training"}:
        space = {} if "study" in invalid else tree["study"]["space"]
        searched_sizes = space.get("training.batch_size", {}).get("choices", ())
        yield from _find_oversized_batches(tree, data, outline, searched_sizes)
    if "task" in invalid:
        return
    task = build_member_validator("thalweg.tasks", Task)(tree["task"])
    if faults := _find_missing_labels(task, outline):
        others = tuple(
            kind
            for kind, other in find_members("thalweg.tasks").items()
            if kind != task.kind
            and not any(field.is_required() for field in other.model_fields.values())
            and not _find_missing_labels(other(), outline)
        )
        yield Problem(("task", "kind"), f"the data does not suit `{task.kind}`: {'; '.join(faults)}", others)
    elif len(outline) and (fault := find_task_fault(task, outline, build.build_data_spec(outline))):
        yield Problem(("task", "kind"), f"`{task.kind}` {fault}")
    elif "model" not in invalid:
        model = ModelConfig.model_validate(tree["model"])
        yield from _find_model_problems(model, task, outline, background=bool(data.background))


def _list_fitting_sources(path: Path) -> list[str]:
    """List the data sources that find their files in a folder."""
    sources = cast(dict[str, type[DataSource]], find_members("thalweg.data.sources"))
    reading = {kind: source for kind, source in sources.items() if source.REQUIRED_FILES}
    return [
        f"`{kind}`" for kind, source in reading.items() if not source.model_construct(kind=kind).find_missing_file(path)
    ]


def _find_program_problems(tree: ParamsTree, outline: Examples) -> Iterator[Problem]:
    """Build each program of the search space without compiling it; return what fails."""
    config = Config.model_validate(tree)
    split = splits.split_examples(config.data.split, outline, rng.derive_seed(config.seed, "split"))
    data, spec = trace.build_abstract_data(config, outline, split), build.build_data_spec(outline)
    spec = DataSpec(spec.image_shape, spec.class_count or 2)
    traced, messages, called = set[Any](), set[str](), set[str]()
    for setting in [{}, *covering.cover_pairs(config)[0]]:
        changed = config.replace_values(setting)
        try:
            plan, hyper = build.build_plan(changed, spec, data, searched=True), build.build_hyper(changed)
            _require_memory(plan.network)
            if (key := (plan, jax.tree.structure(hyper))) not in traced:
                traced.add(key)
                trace.trace_training(plan, hyper, data)
                for fault in list_value_faults(plan, changed, outline, called):
                    yield build_member_problem(tree, fault)
        except MemberError as error:
            if error.member not in messages:
                messages.add(error.member)
                yield build_member_problem(tree, error)
        except Exception as error:  # a user's model can raise anything
            if member := blame_member(error, list_dotted_members(tree).values()):
                if member not in messages:
                    messages.add(member)
                    yield build_member_problem(tree, MemberError(member, f"fails: {describe_error(error)}"))
                continue
            line = next(iter(f"{error}".strip().splitlines()), "")
            message = line if isinstance(error, files.UserError) else f"{type(error).__name__}: {line}"
            static = {name: value for name, value in setting.items() if spaces.is_static_path(name)}
            if message not in messages:
                messages.add(message)
                values = " and ".join(f"{name} {quote_value(value)}" for name, value in static.items())
                owner = "task" if is_dotted(config.task.kind) else "model"
                path = ("study", "space", next(iter(static))) if static else (owner, "kind")
                yield Problem(path, f"{f'with {values} ' if values else ''}training cannot be built: {message}")


def build_member_problem(tree: ParamsTree, error: MemberError) -> Problem:
    """Return a fault of own code as a problem at the first place that names the code."""
    paths = [path for path, member in list_dotted_members(tree).items() if member == error.member]
    return Problem(next(iter(paths), ()), str(error))


def _require_memory(network: Network) -> None:
    """Raise `UserError` if a network is too large to train here."""
    if message := find_weights_problem(build.count_weight_bytes(network)):
        raise files.UserError(message)


def build_outline(data: DataConfig, seed: int) -> Examples | None:
    """Return the examples as far as they are known before they are read (`DataSource.build_outline`)."""
    return own_source.build_outline(data.source, Path(data.path), rng.derive_seed(seed, "source"))


def list_unbuilt(config: Config) -> Iterator[str]:
    """Say what `find_data_problems` did not build."""
    outline = build_outline(config.data, config.seed)
    if outline is None or not len(outline):
        yield f"no program was built, because {UNKNOWN_EXAMPLES}"
        return
    settings, left_out = covering.cover_pairs(config)
    if left_out:
        yield f"{len(settings)} combinations of the space were built; {left_out:,} pairs of values are in none of them"


def _find_missing_labels(task: Any, outline: Examples) -> list[str]:
    """Return what the examples lack for a task; nothing if they are not known yet."""
    faults: Any = task.find_data_faults(outline) if len(outline) else []
    if not isinstance(faults, list | tuple) or not all(isinstance(fault, str) for fault in faults):
        raise MemberError(task.kind, "returns something else from `find_data_faults` than a list of text")
    return [*faults]


def _find_oversized_batches(
    tree: ParamsTree, data: DataConfig, outline: Examples, searched_sizes: Iterable[int]
) -> Iterator[Problem]:
    """Return the batch sizes, of the file and of the search, above the smallest training set."""
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
            _require_memory(build.build_network(task, candidate, spec, background=background))
        except files.UserError as error:
            return str(error).removeprefix("model: ")
        return ""

    if message := find_fault(model):
        others = () if is_dotted(model.kind) else MODEL_KINDS  # an own model is to be mended, not replaced
        suitable = (kind for kind in others if kind != model.kind and not find_fault(ModelConfig(kind=kind)))
        yield Problem(("model", "kind"), message, tuple(suitable))
