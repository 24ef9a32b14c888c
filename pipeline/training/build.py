"""An experiment for the engine: its NetworkProgram, its NetworkHyper, and its TrainingData."""

import math
from collections.abc import Iterable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from thalweg.config.experiment import Config
from thalweg.config.model import ModelConfig
from thalweg.config.numbers import NumbersConfig, ScheduleConfig, TermConfig
from thalweg.core import initial_weights, losses, optimizers, schedules
from thalweg.core.hyperparameters import Op, list_defaults
from thalweg.core.network import Network, Precision, resolve_precision
from thalweg.core.types import DataSpec
from thalweg.data.examples import Examples
from thalweg.data.splits import Splits
from thalweg.engine.launchers import EngineOptions
from thalweg.system.counts import format_count
from thalweg.system.files import UserError
from thalweg.system.members import MemberError, describe_error, is_dotted
from thalweg.tasks import Task
from thalweg.training import normalisation
from thalweg.training.plan import NetworkHyper, TrainingData
from thalweg.training.program import NetworkProgram


def build_data_spec(examples: Examples) -> DataSpec:
    height, width, channels = examples.images.shape[1:]
    return DataSpec((height, width, channels), len(examples.classes))


def build_plan(
    config: Config, spec: DataSpec, data: TrainingData, *, searched: bool, kept_weights: str = "best"
) -> NetworkProgram:
    """Build an experiment's program; with `searched` it also has everything that the search space can turn on."""
    space = set(config.study.space) if searched else set()
    online = config.augment.online.model_dump()
    training = config.training
    smallest = int(np.asarray(data.train_sizes).min())  # on the host, because every trial computes it
    if problem := find_batch_size_problem(training.batch_size, smallest):
        raise UserError(f"training.batch_size: {problem}")
    keeps_best = kept_weights == "best"
    return NetworkProgram(
        task=config.task,
        spec=spec,
        network=build_network(
            config.task, config.model, spec, background=bool(len(data.backgrounds)), precision=training.precision
        ),
        optimizer_kind=config.optimizer.kind,
        clips_gradient=config.optimizer.clip is not None or "optimizer.clip" in space,
        augmentation_names=tuple(
            name for name, strength in online.items() if strength or f"augment.online.{name}" in space
        ),
        batch_size=training.batch_size,
        steps_per_epoch=smallest // training.batch_size,
        epochs=training.epochs,
        validate_every=training.validate_every if keeps_best else _choose_validation_interval(training.epochs),
        patience=training.patience if keeps_best else 0,
        objective=config.study.objective,
        keep=kept_weights,
        augmentation_searched=any(path.startswith("augment.online.") for path in space),
        schedule_names=_list_schedule_names(config, space),
        loss_names=tuple(
            _list_names(config, space, f"loss.terms.{name}", config.loss.terms[name].kind)
            for name in config.task.loss_families
        ),
    )


def _list_schedule_names(config: Config, space: set[str]) -> tuple[str, ...]:
    """List the schedules of the learning rate and of terms; `constant`, too, which an ablation gives to a term."""
    names = set(_list_names(config, space, "schedule", config.schedule.kind))
    for name, term in config.loss.terms.items():
        if term.schedule is not None:
            names |= {"constant", *_list_names(config, space, f"loss.terms.{name}.schedule", term.schedule.kind)}
    return tuple(sorted(names))


def _list_names(config: Config, space: set[str], section: str, kind: str) -> tuple[str, ...]:
    """List what the kind of a section can be: its own, or the choices of the search space."""
    choices = config.study.space[f"{section}.kind"].choices if f"{section}.kind" in space else None
    return tuple(sorted({kind, *map(str, choices or ())}))


def find_batch_size_problem(batch_size: int, examples: int) -> str:
    """Say that a mini-batch is larger than the training set; "" if it is not."""
    problem = f"{batch_size} is more than the {format_count(examples, 'training example')}; use at most {examples}"
    return problem if batch_size > examples else ""


def build_network(
    task: Task, model: ModelConfig, spec: DataSpec, *, background: bool, precision: Precision = "float32"
) -> Network:
    """Build a model's network for a task; with `background` its inputs include the difference from the background.

    `precision` becomes what this machine has instead of it.
    Raises `UserError` if the model cannot be built for these inputs and outputs, or returns another shape, or lacks
    weights that its gains would scale.
    """
    height, width, channels = task.input_shape(spec)
    inputs = height, width, channels * (2 if background else 1)
    precision = resolve_precision(precision, jax.default_backend())
    network = Network(model.kind, inputs, task.output_shape(spec), model.sizes, precision)
    _check_network(network)
    _check_gains(network, model)
    return network


def _check_gains(network: Network, model: ModelConfig) -> None:
    """Raise `UserError` if a factor on initial weights would change nothing."""
    if model.gain != 1 and not initial_weights.count_kernels(network)[0]:
        raise UserError(
            f"model.gain: `{network.path}` has no matrix of weights but in its last layer; do not set or search it"
        )
    if model.last_gain != 1 and not initial_weights.count_kernels(network)[1]:
        advice = "name its last layer so, or do not set or search this"
        raise UserError(f"model.last_gain: `{network.path}` has no matrix of weights in a layer named `last`; {advice}")


def count_weight_bytes(network: Network) -> int:
    """Count the bytes of a network's weights and other state, without making them."""
    leaves = jax.tree.leaves(jax.eval_shape(network.init, jax.random.key(0)))
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in leaves)


def _choose_validation_interval(epochs: int) -> int:
    """Choose the largest divisor of `epochs` up to a tenth of them: few validations, yet a kill loses little."""
    return next(interval for interval in range(max(1, epochs // 10), 0, -1) if epochs % interval == 0)


@cache
def _check_network(network: Network) -> None:
    def run_network() -> Any:
        weights = network.init(jax.random.key(0))
        inputs = jnp.zeros((2, *network.inputs))
        return (
            network.apply(*weights, inputs, train=False)[0],
            weights[1],
            network.apply(*weights, inputs, train=True)[1],
        )

    try:
        outputs, before, after = jax.eval_shape(run_network)
    except Exception as error:  # a user's class can raise anything, for example for impossible sizes
        message = (f"{error}".strip().splitlines() or [""])[0]
        is_sentence = isinstance(error, ValueError) and message and not is_dotted(network.path)
        reason = message if is_sentence else describe_error(error)
        raise _explain_fault(network, f"cannot be built for this data: {reason}") from None
    shape = getattr(outputs, "shape", None)
    if shape != (2, *network.outputs):
        returned = "no array" if shape is None else f"an array of shape {shape}"
        raise _explain_fault(network, f"returns {returned} for 2 examples; the task needs {(2, *network.outputs)}")
    if outputs.dtype != jnp.float32:
        raise _explain_fault(network, f"returns values of type {outputs.dtype}; the task needs floats")
    if _describe_shapes(before) != _describe_shapes(after):
        advice = "create each nnx.Variable in the constructor, and keep its shape and type"
        raise UserError(f"model: a call of `{network.path}` changes the shape of its state; {advice}")


def _explain_fault(network: Network, fault: str) -> UserError:
    """Return the error about a model; a stage finds the line of an own one."""
    is_own = is_dotted(network.path)
    return MemberError(network.path, fault) if is_own else UserError(f"model: `{network.path}` {fault}")


def _describe_shapes(tree: Any) -> Any:
    leaves, structure = jax.tree.flatten(tree)
    return structure, [(leaf.shape, leaf.dtype) for leaf in leaves]


def build_engine_options(config: Config) -> EngineOptions:
    """Return where and how wide the experiment computes."""
    return EngineOptions(config.engine.width, config.engine.launcher, config.engine.address)


def build_hyper(config: Config) -> NetworkHyper:
    """Build the traced numbers of an experiment: float32, kinds as int32 indices."""
    optimizer = config.optimizer.model_dump()
    defaults = optimizers.list_optimizer_defaults(config.optimizer.kind)
    return NetworkHyper(
        learning_rate=np.float32(config.optimizer.learning_rate),
        clip=np.float32(np.inf if config.optimizer.clip is None else config.optimizer.clip),
        optimizer={n: np.float32(d if optimizer[n] is None else optimizer[n]) for n, d in defaults.items()},
        schedule=_build_schedule(config, "schedule", config.schedule),
        loss={name: _build_term(config, name, term) for name, term in sorted(config.loss.terms.items())},
        balance=np.int32(losses.BALANCES.index(config.loss.balance)),
        augment={name: np.float32(strength) for name, strength in config.augment.online.model_dump().items()},
        gain=np.float32(config.model.gain),
        last_gain=np.float32(config.model.last_gain),
    )


def _build_term(config: Config, name: str, term: TermConfig) -> dict[str, Any]:
    """Build a term's numbers, with schedule and phases only if it has them: a term without them costs nothing."""
    section, family = f"loss.terms.{name}", config.task.loss_families[name]
    searched = _list_names(config, set(config.study.space), section, term.kind)
    members = [losses.find_loss(family, kind) for kind in (*losses.list_losses(family), *filter(is_dotted, searched))]
    numbers = _build_numbers(term, members, {"weight": term.weight})
    numbers["kind"] = np.int32(losses.number_loss(family, term.kind))
    if term.schedule is not None:
        numbers["schedule"] = _build_schedule(config, f"{section}.schedule", term.schedule)
    if term.phases:
        numbers["phases"] = {
            f"{index:03d}": {name: np.float32(value) for name, value in phase.model_dump().items()}
            for index, phase in enumerate(term.phases.values())
        }
    return numbers


def _build_schedule(config: Config, section: str, schedule: ScheduleConfig) -> dict[str, Any]:
    searched = _list_names(config, set(config.study.space), section, schedule.kind)
    members = map(schedules.find_schedule, (*schedules.list_schedules(), *filter(is_dotted, searched)))
    numbers = _build_numbers(schedule, members, {"warmup": schedule.warmup})
    return numbers | {"kind": np.int32(schedules.number_schedule(schedule.kind))}


def _build_numbers(section: NumbersConfig, members: Iterable[Op], common: dict[str, float]) -> dict[str, Any]:
    """Build the numbers of all members that a section may name, so that those of every trial have one structure."""
    defaults = {name: default for member in members for name, default in list_defaults(member).items()}
    return {name: np.float32(getattr(section, name, default)) for name, default in (common | defaults).items()}


def build_data(config: Config, examples: Examples, splits: Splits, copy_origins: NDArray[np.int64]) -> TrainingData:
    """Build the arrays that the engine reads.

    The last len(copy_origins) examples are augmented copies of the rows `copy_origins`. They train together with their
    originals and never validate. Backgrounds and normalisation come from rows that train in some fold.
    """
    originals = len(examples) - len(copy_origins)
    first_copy = np.arange(originals, len(examples))
    train = [np.concatenate([rows, first_copy[np.isin(copy_origins, rows)]]) for rows in splits.train]
    rows = np.unique(np.concatenate([*splits.train, *splits.validation]) if len(splits.train) > 1 else splits.train[0])
    backgrounds = normalisation.compute_camera_backgrounds(
        config.data.background, examples.images, examples.groups, rows
    )
    background_index = normalisation.find_nearest_background(examples.images, backgrounds)
    mean, scale = normalisation.compute_channel_statistics(examples.images, backgrounds, background_index, rows)
    validation_rows, validation_weights = _pad_rows(splits.validation)
    return TrainingData(
        images=examples.images,
        labels={k: np.asarray(v) for k, v in config.task.select_labels(examples).items()},
        background_index=background_index,
        backgrounds=backgrounds,
        mean=mean,
        scale=scale,
        train_rows=_pad_rows(train)[0],
        train_sizes=np.array([len(rows) for rows in train], np.int32),
        validation_rows=validation_rows,
        validation_weights=validation_weights,
    )


def _pad_rows(rows: Any) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Pad index arrays to one array [folds, longest]. Returns it and its weights, 0 for padding."""
    longest = max(len(fold) for fold in rows)
    padded = np.stack([np.pad(fold, (0, longest - len(fold)), mode="edge") for fold in rows]).astype(np.int32)
    weight = np.stack([np.arange(longest) < len(fold) for fold in rows]).astype(np.float32)
    return padded, weight
