"""Read a source, check every example, and split the examples."""

import re
from pathlib import Path

import numpy as np

from thalweg.artifacts import prepared
from thalweg.config.experiment import Config
from thalweg.core import rng
from thalweg.data import splits
from thalweg.data.examples import Examples, Fault
from thalweg.data.memory import find_memory_problem
from thalweg.data.own_source import build_outline, read_source
from thalweg.data.split_warnings import find_split_warnings
from thalweg.data.splits import Splits
from thalweg.system import files
from thalweg.system.counts import format_count, join_first
from thalweg.system.paths import EXAMPLES, MANIFEST
from thalweg.system.progress import print_line

MAX_CLASSES = 10  # whose numbers are printed
MAX_ALIKE = 10
"""Faults with the same reason that are listed."""
VALUE = re.compile(r"'[^']*'|[\d.]+")
"""What differs between reasons that are the same: a text in quotes, or a number."""


def main(config: Config) -> str:
    source, path, seed = config.data.source, Path(config.data.path), rng.derive_seed(config.seed, "source")
    outline = build_outline(source, path, seed)
    if outline is not None and (problem := find_memory_problem(outline)):
        raise files.UserError(f"data.source: {problem}")
    result = read_source(source, path, seed)
    for warning in result.warnings:
        print_line(f"warning: {warning}")
    if result.faults and config.data.on_bad == "error":
        raise files.UserError(
            _describe_faults(result.faults) + "\nCorrect them, or set data.on_bad: skip to leave these examples out."
        )
    if result.faults:
        print_line(f"warning: the examples below are left out: {_describe_faults(result.faults)}")
    examples = result.examples
    task_faults = config.task.find_data_faults(examples)
    if task_faults:
        raise files.UserError(f"task.kind: {config.task.kind} cannot use this data: {'; '.join(task_faults)}")
    split = splits.split_examples(config.data.split, examples, rng.derive_seed(config.seed, "split"))
    split_warnings = find_split_warnings(config.data.split, examples, split)
    for warning in (later_warnings := (*config.task.find_data_warnings(examples), *split_warnings)):
        print_line(f"warning: {warning}")
    prepared.write_examples(EXAMPLES, examples)
    prepared.write_splits(split)
    files.write_json(
        MANIFEST, prepared.build_manifest(config, examples, split, result.faults, (*result.warnings, *later_warnings))
    )
    return describe_examples(examples, split)


def describe_examples(examples: Examples, split: Splits) -> str:
    """Describe the prepared data: images, groups, the size of each split, and there how often each class occurs."""
    groups = len(np.unique(examples.groups))
    text = format_count(len(examples), "image")
    text += f" in {format_count(groups, 'group')}" if groups < len(examples) else ""
    rows = {"train": split.train[0], "validation": split.validation[0], "test": split.test}
    if len(split.train) > 1:
        rows = {f"{len(split.train)} folds": np.concatenate(split.validation), "test": split.test}
    sizes = [f"{name} {len(indices):,}" for name, indices in rows.items()]
    parts = [text, ", ".join(sizes)]
    if "label" in examples.labels:
        labels = examples.labels["label"]
        counts = [np.bincount(labels[indices], minlength=len(examples.classes)) for indices in rows.values()]
        of_classes = [
            f"class {name}: {' + '.join(f'{count:,}' for count in of_class)}"
            for name, of_class in zip(examples.classes, np.stack(counts, 1).tolist(), strict=True)
        ]
        parts.append(join_first(of_classes, MAX_CLASSES))
    return "; ".join(parts)


def _describe_faults(faults: tuple[Fault, ...]) -> str:
    """Describe faults in a line each, but of many with the same reason only the first: they have one cause."""
    alike: dict[str, list[str]] = {}
    for fault in faults:
        reason = VALUE.sub("", fault.reason)
        alike.setdefault(reason, []).append(f"{fault.where}: {fault.name}: {fault.reason}")
    lines = [f"{format_count(len(faults), 'fault')} in the data:"]
    for same in alike.values():
        lines += same[:MAX_ALIKE]
        lines += [f"and {len(same) - MAX_ALIKE:,} more like this"] if len(same) > MAX_ALIKE else []
    return "\n".join(lines)
