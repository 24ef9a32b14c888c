"""What an experiment means to the engine: its NetworkProgram, its Hyper, and its data on the device."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from thalweg.config.experiment import Config
from thalweg.config.model import ModelConfig
from thalweg.core import augmentations, losses, optimizers, schedules
from thalweg.core.network import Network
from thalweg.core.types import DataSpec
from thalweg.data.examples import Examples
from thalweg.data.splits import Splits
from thalweg.system.files import UserError
from thalweg.tasks import Task
from thalweg.training.normalisation import (
    compute_camera_backgrounds,
    compute_channel_statistics,
    find_nearest_background,
)
from thalweg.training.plan import NetworkHyper, TrainingData
from thalweg.training.program import NetworkProgram


def build_data_spec(examples: Examples) -> DataSpec:
    height, width, channels = examples.images.shape[1:]
    return DataSpec((height, width, channels), len(examples.classes))


def build_plan(
    config: Config, spec: DataSpec, data: TrainingData, *, searched: bool, kept_weights: str = "best"
) -> NetworkProgram:
    """The program of an experiment; where it is `searched`, what its space can turn on is on."""
    space = set(config.study.space) if searched else set()
    online = config.augment.online.model_dump()
    training = config.training
    smallest = int(np.asarray(data.train_sizes).min())  # on the host: this is asked for each trial
    if what := find_batch_size_problem(training.batch_size, smallest):
        raise UserError(f"training.batch_size: {what}")
    return NetworkProgram(
        task=config.task,
        spec=spec,
        network=build_network(config.task, config.model, spec, background=bool(len(data.backgrounds))),
        optimizer_kind=config.optimizer.kind,
        clips_gradient=config.optimizer.clip is not None or "optimizer.clip" in space,
        augmentation_names=tuple(
            name for name in augmentations.list_augmentations() if online[name] or f"augment.online.{name}" in space
        ),
        batch_size=training.batch_size,
        steps_per_epoch=smallest // training.batch_size,
        epochs=training.epochs,
        validate_every=training.validate_every
        if kept_weights == "best"
        else _choose_validation_interval(training.epochs),
        patience=training.patience if kept_weights == "best" else 0,
        objective=config.study.objective,
        keep=kept_weights,
        augmentation_searched=any(path.startswith("augment.online.") for path in space),
    )


def find_batch_size_problem(batch_size: int, examples: int) -> str:
    """That a mini-batch is larger than all there is to train on; nothing where it is not."""
    what = f"{batch_size} is more than the {examples} examples to train on; use at most {examples}"
    return what if batch_size > examples else ""


def build_network(task: Task, model: ModelConfig, spec: DataSpec, *, background: bool) -> Network:
    """The network of a model for a task; with a `background` its difference from the image is given to it, too.

    Raises `UserError` where a model cannot be built for these inputs and outputs, or does not keep to them.
    """
    height, width, channels = task.input_shape(spec)
    inputs = height, width, channels * (2 if background else 1)
    built = Network(model.kind, inputs, task.output_shape(spec), model.sizes)
    _check_network(built)
    return built


def _choose_validation_interval(epochs: int) -> int:
    """The largest divisor of `epochs` up to a tenth of them: validating seldom still lets a kill lose little."""
    return next(every for every in range(max(1, epochs // 10), 0, -1) if epochs % every == 0)


@cache
def _check_network(network: Network) -> None:
    def outputs() -> Any:
        parameters, rest = network.init(jax.random.key(0))
        return network.apply(parameters, rest, jnp.zeros((2, *network.inputs)), train=False)[0]

    try:
        given = getattr(jax.eval_shape(outputs), "shape", None)
    except Exception as error:  # a person's own class can raise anything, and sizes that make no sense do
        told = (f"{error}".strip().splitlines() or [""])[0]
        what = told if isinstance(error, ValueError) and told else f"{type(error).__name__}: {told}"
        raise UserError(f"model: `{network.path}` cannot be built for this data: {what}") from None
    if given != (2, *network.outputs):
        raise UserError(
            f"model: `{network.path}` gives {'no array' if given is None else f'an array of shape {given}'} for 2 "
            f"examples, where the task needs {(2, *network.outputs)}"
        )


def build_hyper(config: Config) -> NetworkHyper:
    """All numbers of an experiment, float32, kinds as indices."""
    optimizer = config.optimizer.model_dump()
    defaults = optimizers.list_optimizer_defaults(config.optimizer.kind)
    schedule = config.schedule.model_dump()
    return NetworkHyper(
        learning_rate=np.float32(config.optimizer.learning_rate),
        clip=np.float32(np.inf if config.optimizer.clip is None else config.optimizer.clip),
        optimizer={n: np.float32(d if optimizer[n] is None else optimizer[n]) for n, d in defaults.items()},
        schedule=_build_numbers(schedule, schedules.list_schedules()),
        loss={
            name: _build_term(term.model_dump(), losses.list_losses(config.task.loss_families[name]))
            for name, term in sorted(config.loss.terms.items())
        },
        balance=np.int32(losses.BALANCES.index(config.loss.balance)),
        augment={name: np.float32(strength) for name, strength in config.augment.online.model_dump().items()},
    )


def _build_term(part: dict[str, Any], kinds: tuple[str, ...]) -> dict[str, Any]:
    """A term's numbers; with its schedule and phases where it has any, so that one without them costs nothing."""
    schedule, phases = part.pop("schedule"), part.pop("phases")
    numbers = _build_numbers(part, kinds)
    if schedule is not None:
        numbers["schedule"] = _build_numbers(schedule, schedules.list_schedules())
    if phases:
        numbers["phases"] = {
            f"{place:03d}": {name: np.float32(value) for name, value in phase.items()}
            for place, phase in enumerate(phases.values())
        }
    return numbers


def _build_numbers(part: dict[str, Any], kinds: tuple[str, ...]) -> dict[str, Any]:
    return {name: np.float32(v) for name, v in part.items() if name != "kind"} | {
        "kind": np.int32(kinds.index(part["kind"]))
    }


def build_data(config: Config, examples: Examples, splits: Splits, copy_origins: NDArray[np.int64]) -> TrainingData:
    """Examples as the engine reads them.

    The last len(copies) examples are augmented copies of the rows `copy_origins`: they are trained on with their originals,
    and never validated on. Backgrounds and the normalisation come from the rows that are trained on in any fold.
    """
    originals = len(examples) - len(copy_origins)
    first_copy = np.arange(originals, len(examples))
    train = [np.concatenate([rows, first_copy[np.isin(copy_origins, rows)]]) for rows in splits.train]
    seen = np.unique(np.concatenate([*splits.train, *splits.validation]) if len(splits.train) > 1 else splits.train[0])
    backgrounds = compute_camera_backgrounds(config.data.background, examples.images[seen], examples.groups[seen])
    scene = find_nearest_background(examples.images, backgrounds)
    mean, scale = compute_channel_statistics(examples.images[seen], backgrounds, scene[seen])
    padded, weight = _pad_rows(splits.validation)
    return TrainingData(
        images=examples.images,
        labels={k: np.asarray(v) for k, v in config.task.select_labels(examples).items()},
        background_index=scene,
        backgrounds=backgrounds,
        mean=mean,
        scale=scale,
        train_rows=_pad_rows(train)[0],
        train_sizes=np.array([len(rows) for rows in train], np.int32),
        validation_rows=padded,
        validation_weights=weight,
    )


def _pad_rows(rows: Any) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Index arrays of several lengths as one [folds, longest], and a weight of 0 where it is padding."""
    longest = max(len(fold) for fold in rows)
    padded = np.stack([np.pad(fold, (0, longest - len(fold)), mode="edge") for fold in rows]).astype(np.int32)
    weight = np.stack([np.arange(longest) < len(fold) for fold in rows]).astype(np.float32)
    return padded, weight
