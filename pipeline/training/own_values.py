"""What own code returns at ordinary arguments. A value that is not finite is found before anything trains."""

from collections.abc import Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from thalweg.config.experiment import Config
from thalweg.config.numbers import TermConfig
from thalweg.core import augmentations, losses, optimizers, rng, schedules
from thalweg.core.hyperparameters import list_defaults
from thalweg.core.metrics import Metric, name_own_metric
from thalweg.core.network import Network
from thalweg.core.types import DataSpec, Term, Tree
from thalweg.data.examples import Examples
from thalweg.system.members import MemberError, is_dotted
from thalweg.tasks import Task
from thalweg.training.program import NetworkProgram

COUNT = 8
"""Examples of the arguments."""
STRENGTH = 0.5
TOLERANCE = 1e-4


def list_value_faults(
    program: NetworkProgram, config: Config, outline: Examples, seen: set[str]
) -> Iterator[MemberError]:
    """Return the faults of what own code returns at ordinary arguments; members in `seen` are left out, and added."""
    task, spec = program.task, program.spec
    kinds = (program.network.path, program.optimizer_kind, *program.schedule_names, *program.augmentation_names)
    named = {*kinds, *task.metrics, *(kind for names in program.loss_names for kind in names)}
    if not {*filter(is_dotted, named)} - seen:
        return

    def select_new(names: Iterable[str]) -> list[str]:
        new = [name for name in dict.fromkeys(names) if is_dotted(name) and name not in seen]
        seen.update(new)
        return new

    labels = _build_labels(task, outline, spec)
    outputs = _spread_values(-1.0, 1.0, (COUNT, *task.output_shape(spec)))
    targets = task.build_targets(labels, spec)
    for name in select_new([program.network.path]):
        yield from _find_model_faults(name, program.network)
    for term, kinds in zip(task.loss_families, program.loss_names, strict=True):
        for kind in select_new(kinds):
            compared = task.build_loss_terms(outputs, targets)[term]
            yield from _find_loss_faults(kind, task.loss_families[term], config.loss.terms[term], compared)
    for path in select_new(task.metrics):
        metric = task.own_metrics[name_own_metric(path)]
        yield from _find_metric_faults(path, metric, *task.select_values(task.decode_outputs(outputs), targets))
    for kind in select_new(program.schedule_names):
        yield from _find_schedule_faults(kind, config)
    for kind in select_new([program.optimizer_kind]):
        yield from _find_optimizer_faults(kind, config)
    for name in select_new(program.augmentation_names):
        batch = labels | {"image": _spread_values(0.2, 0.8, (COUNT, *spec.image_shape))}
        augment = augmentations.find_own_augmentation(name)[0]
        changed = augment(rng.derive_key(0, "check"), batch, jnp.float32(STRENGTH))
        yield from _require_finite(name, changed["image"], "returns images with")


def _build_labels(task: Task, outline: Examples, spec: DataSpec) -> Tree:
    """Build labels of `COUNT` examples: those of the outline, with different numbers and classes."""
    rows = np.arange(COUNT) % len(outline)
    labels = {name: jnp.asarray(np.asarray(values)[rows]) for name, values in task.select_labels(outline).items()}
    varied = {"count": jnp.arange(COUNT, dtype=jnp.float32), "label": jnp.arange(COUNT) % spec.class_count}
    labels |= {name: values.astype(labels[name].dtype) for name, values in varied.items() if name in labels}
    return labels | ({"image": _spread_values(0.2, 0.8, (COUNT, *spec.image_shape))} if task.CORRUPTS_INPUT else {})


def _find_model_faults(path: str, network: Network) -> Iterator[MemberError]:
    inputs = _spread_values(-1.0, 1.0, (2, *network.inputs))

    def run_network() -> Array:
        outputs: Array = network.apply(*network.init(rng.derive_key(0, "weights")), inputs, train=False)[0]
        return outputs

    yield from _require_finite(path, jax.jit(run_network)(), "returns")


def _find_loss_faults(kind: str, family: str, section: TermConfig, term: Term) -> Iterator[MemberError]:
    loss = losses.find_loss(family, kind)
    numbers = _choose_numbers(section, loss)

    def compute_cost(prediction: Array) -> Array:
        cost: Array = loss(prediction, term.truth, **numbers).sum()
        return cost

    cost, slope = jax.value_and_grad(compute_cost)(jnp.asarray(term.prediction))
    faults = [*_require_finite(kind, cost, "returns"), *_require_finite(kind, slope, "has a derivative of")]
    yield from faults[:1]


def _find_metric_faults(path: str, metric: Metric, prediction: Array, truth: Array) -> Iterator[MemberError]:
    assert metric.function is not None
    value = metric.function(prediction, truth, jnp.ones(COUNT))
    faults = list(_require_finite(path, value, "returns"))
    yield from faults
    if faults:
        return
    if not metric.low - TOLERANCE <= value <= metric.high + TOLERANCE:
        yield MemberError(path, f"returns {value:.4g}, outside of its bounds {metric.low:g} and {metric.high:g}")
    padded = metric.function(prediction, truth, jnp.ones(COUNT).at[-1].set(0.0))
    if not np.allclose(padded, metric.function(prediction[:-1], truth[:-1], jnp.ones(COUNT - 1)), rtol=TOLERANCE):
        yield MemberError(path, "counts an example of weight 0, which is padding; select by the weight, or multiply")


def _find_schedule_faults(kind: str, config: Config) -> Iterator[MemberError]:
    schedule, epochs = schedules.find_schedule(kind), config.training.epochs
    for epoch in np.linspace(0, epochs, 9):
        factor = float(schedule(jnp.float32(epoch), epochs, **_choose_numbers(config.schedule, schedule)))
        if not (np.isfinite(factor) and factor >= 0):
            yield MemberError(kind, f"returns {factor:.4g} for epoch {epoch:g} of {epochs}; a factor is 0 or more")
            return


def _find_optimizer_faults(kind: str, config: Config) -> Iterator[MemberError]:
    numbers = _choose_numbers(config.optimizer, optimizers.find_optimizer(kind))
    optimizer = optimizers.build_optimizer(kind, numbers, config.optimizer.learning_rate, None)
    weights, gradient = {"kernel": _spread_values(-0.5, 0.5, (3, 4))}, {"kernel": _spread_values(-0.1, 0.2, (3, 4))}
    state: Any = optimizer.init(weights)
    for _ in range(2):
        steps, state = optimizer.update(gradient, state, weights)
    yield from _require_finite(kind, steps["kernel"], "gives steps with")


def _choose_numbers(section: Any, member: Any) -> dict[str, Array]:
    """Return the numbers of a member: those of a section that has them, else its defaults."""
    given = {name: getattr(section, name, None) for name in list_defaults(member)}
    return {n: jnp.float32(d if given[n] is None else given[n]) for n, d in list_defaults(member).items()}


def _require_finite(path: str, values: Any, verb: str) -> Iterator[MemberError]:
    wrong = np.asarray(values)[~np.isfinite(np.asarray(values))]
    if wrong.size:
        yield MemberError(path, f"{verb} {wrong[0]} at ordinary arguments")


def _spread_values(low: float, high: float, shape: tuple[int, ...]) -> Array:
    """Return an array of numbers that all differ."""
    return jnp.linspace(low, high, int(np.prod(shape)), dtype=jnp.float32).reshape(shape)
