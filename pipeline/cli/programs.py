"""The programs of an experiment before any data is read: parameters, lanes and memory."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax

from thalweg.config import settings, spaces
from thalweg.config.experiment import Config
from thalweg.core import rng
from thalweg.core.network import resolve_precision
from thalweg.core.types import DataSpec
from thalweg.data import splits
from thalweg.data.examples import ARRAYS, Examples
from thalweg.engine import fit
from thalweg.system.counts import format_bytes, format_count
from thalweg.training import build, trace
from thalweg.training.plan import NetworkHyper
from thalweg.training.program import NetworkProgram

PRECISION = "training.precision"
FEW_STEPS = 100
"""Steps of training below which a network usually learns little."""
MAX_PROGRAMS = 64
"""Programs that are looked at, of a space with more."""


@dataclass(frozen=True)
class PlannedProgram:
    """A program that a study can reach, and the numbers of one of its trials."""

    program: NetworkProgram
    hyper: NetworkHyper


def list_programs(config: Config, outline: Examples) -> list[PlannedProgram]:
    """List the programs of the search space for examples like `outline`, which needs no pixels."""
    split = splits.split_examples(config.data.split, outline, rng.derive_seed(config.seed, "split"))
    data, spec = trace.build_abstract_data(config, outline, split), build.build_data_spec(outline)
    spec = DataSpec(spec.image_shape, spec.class_count or 2)
    programs: dict[NetworkProgram, PlannedProgram] = {}
    for values in spaces.list_program_variants(config)[:MAX_PROGRAMS]:
        changed = config.replace_values(values)
        program = build.build_plan(changed, spec, data, searched=True)
        programs.setdefault(program, PlannedProgram(program, build.build_hyper(changed)))
    return list(programs.values())


def count_programs(config: Config) -> int:
    """Count the programs of the search space at most; precisions that are one on this machine are one program."""
    backend = jax.default_backend()
    resolved = (
        {path: resolve_precision(value, backend) if path == PRECISION else value for path, value in values.items()}
        for values in spaces.list_program_variants(config)
    )
    return len({tuple(sorted(values.items())) for values in resolved})


def list_precision_notes(config: Config) -> Iterator[str]:
    """Return hints about precisions that do nothing on this machine, or cost time there."""
    backend = jax.default_backend()
    parameter = config.study.space.get(PRECISION)
    asked = {config.training.precision} if parameter is None else {*(parameter.choices or ())}
    device = "a CPU" if backend == "cpu" else f"a {backend.upper()}"
    if "tf32" in asked and resolve_precision("tf32", backend) != "tf32":
        yield f"{PRECISION}: tf32 has no effect on {device}; it trains as float32 does"
    if "bfloat16" in asked and backend == "cpu":
        yield f"{PRECISION}: bfloat16 is made for a GPU or a TPU; on a CPU it takes about twice the time of float32"


def list_batch_notes(programs: Sequence[PlannedProgram]) -> Iterator[str]:
    """Return a hint if a network takes so few steps that it hardly learns."""
    counts = {each.program.steps_per_epoch * each.program.epochs: each.program for each in programs}
    fewest, program = min(counts.items(), key=lambda item: item[0])
    if fewest < FEW_STEPS and program.batch_size > 1:
        smaller = program.batch_size
        while smaller > 1 and fewest * program.batch_size / smaller < FEW_STEPS:
            smaller //= 2
        an_epoch = format_count(program.steps_per_epoch, "mini-batch", "mini-batches")
        yield (
            f"training.batch_size: {program.batch_size} gives {an_epoch} an epoch and {format_count(fewest, 'step')} "
            f"in all, which is little to learn from; {smaller} gives about {fewest * program.batch_size // smaller:,}"
        )


def count_folds(config: Config) -> int:
    return config.data.split.folds if config.data.split.by == "folds" else 1


def count_lanes(config: Config) -> int:
    """Count the lanes of a study that train at once: those of its cohorts in flight."""
    study = config.study
    return study.cohort * study.in_flight * settings.count_trial_seeds(config) * count_folds(config)


def count_parameters(program: NetworkProgram) -> int:
    parameters, _ = jax.eval_shape(program.network.init, jax.random.key(0))
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(parameters))


def describe_size(config: Config, outline: Examples, programs: Sequence[PlannedProgram]) -> str:
    """Describe the network's parameters, the lanes that train at once, and their memory and that of the examples."""
    counts = sorted({count_parameters(planned.program) for planned in programs})
    parameters = format_count(counts[-1], "parameter")
    if len(counts) > 1:
        parameters = f"{counts[0]:,} to {parameters}"
    lane_bytes = max(_count_bytes(_outline_lane(planned.program)) for planned in programs)
    arrays = [getattr(outline, name) for name in ARRAYS] + list(outline.labels.values())
    data_bytes = sum(array.nbytes for array in arrays) * (1 + config.augment.offline.copies)
    lanes = count_lanes(config)
    training = (
        f"{format_count(lanes, 'lane')} {'trains' if lanes == 1 else 'train'} at once, {format_bytes(lane_bytes)} each"
    )
    return f"{parameters}; {training}; the examples take {format_bytes(data_bytes)}"


def _outline_lane(program: NetworkProgram) -> Any:
    number = jax.numpy.int32(0)
    return jax.eval_shape(partial(fit.init_state, program), number, number)


def _count_bytes(tree: Any) -> int:
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
