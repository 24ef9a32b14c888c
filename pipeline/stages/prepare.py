"""Read a source, check every example, part them."""

from pathlib import Path

import numpy as np

from thalweg.artifacts import prepared
from thalweg.config.experiment import Config
from thalweg.core import rng
from thalweg.data import splits
from thalweg.data.examples import Fault
from thalweg.system import files
from thalweg.system.paths import EXAMPLES, MANIFEST


def main(config: Config) -> None:
    reading = config.data.source.read_examples(Path(config.data.path), rng.derive_seed(config.seed, "source"))
    groups = np.unique(reading.examples.groups)
    warnings = reading.warnings
    if config.data.split.by in ("group", "folds") and len(groups) == len(reading.examples):
        warnings += (f"no two examples share a group, so data.split.by: {config.data.split.by} parts single examples",)
    for warning in warnings:
        print(f"warning: {warning}")
    if reading.faults and config.data.on_bad == "error":
        raise files.UserError(
            _describe_faults(reading.faults) + "\nmend them, or set data.on_bad: skip to leave them out"
        )
    if reading.faults:
        print(f"left out: {_describe_faults(reading.faults)}")
    examples = reading.examples
    problems = config.task.find_data_faults(examples)
    if problems:
        raise files.UserError(f"task.kind: {config.task.kind} cannot use this data: {'; '.join(problems)}")
    for warning in (more := tuple(config.task.find_data_warnings(examples))):
        print(f"warning: {warning}")
    parts = splits.split_examples(config.data.split, examples, rng.derive_seed(config.seed, "split"))
    prepared.write_examples(EXAMPLES, examples)
    prepared.write_splits(parts)
    files.write_json(MANIFEST, prepared.build_manifest(config, examples, parts, reading.faults, (*warnings, *more)))


def _describe_faults(bad: tuple[Fault, ...]) -> str:
    lines = [f"{one.where}: {one.name}: {one.reason}" for one in bad]
    return "\n".join([f"{len(bad)} fault{'s' if len(bad) > 1 else ''} in the data:", *lines])
