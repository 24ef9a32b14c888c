"""Read a source, check every example, and split the examples."""

from pathlib import Path

import numpy as np

from thalweg.artifacts import prepared
from thalweg.config.experiment import Config
from thalweg.core import rng
from thalweg.data import splits
from thalweg.data.examples import Fault
from thalweg.data.memory import find_memory_problem
from thalweg.data.split_warnings import find_split_warnings
from thalweg.system import files
from thalweg.system.counts import format_count
from thalweg.system.paths import EXAMPLES, MANIFEST


def main(config: Config) -> None:
    source, path, seed = config.data.source, Path(config.data.path), rng.derive_seed(config.seed, "source")
    outline = source.build_outline(path, seed)
    if outline is not None and (problem := find_memory_problem(outline)):
        raise files.UserError(f"data.source: {problem}")
    result = source.read_examples(path, seed)
    groups = np.unique(result.examples.groups)
    warnings = result.warnings
    if config.data.split.by in ("group", "folds") and len(groups) == len(result.examples):
        warnings += (f"no two examples share a group, so data.split.by: {config.data.split.by} splits single examples",)
    for warning in warnings:
        print(f"warning: {warning}")
    if result.faults and config.data.on_bad == "error":
        raise files.UserError(
            _describe_faults(result.faults) + "\nCorrect them, or set data.on_bad: skip to leave these examples out."
        )
    if result.faults:
        print(f"warning: the examples below are left out: {_describe_faults(result.faults)}")
    examples = result.examples
    task_faults = config.task.find_data_faults(examples)
    if task_faults:
        raise files.UserError(f"task.kind: {config.task.kind} cannot use this data: {'; '.join(task_faults)}")
    split = splits.split_examples(config.data.split, examples, rng.derive_seed(config.seed, "split"))
    split_warnings = find_split_warnings(config.data.split, examples, split)
    for warning in (later_warnings := (*config.task.find_data_warnings(examples), *split_warnings)):
        print(f"warning: {warning}")
    prepared.write_examples(EXAMPLES, examples)
    prepared.write_splits(split)
    files.write_json(
        MANIFEST, prepared.build_manifest(config, examples, split, result.faults, (*warnings, *later_warnings))
    )


def _describe_faults(faults: tuple[Fault, ...]) -> str:
    lines = [f"{fault.where}: {fault.name}: {fault.reason}" for fault in faults]
    return "\n".join([f"{format_count(len(faults), 'fault')} in the data:", *lines])
