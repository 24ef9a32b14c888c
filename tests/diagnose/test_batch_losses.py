"""Backpropagation against numerical derivatives: every pair of loss, model and task, discovered automatically."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from _pytest.mark import ParameterSet

from tests.helpers import two_terms
from tests.helpers.every_task import EXAMPLES, SPEC, N, list_task_variants
from tests.helpers.fast_jit import compile_fast, list_hasty_options
from thalweg import models
from thalweg.artifacts.weights import Weights
from thalweg.config.model import ModelConfig
from thalweg.core import hyperparameters, losses, rng
from thalweg.core.network import Network
from thalweg.core.network import list_model_sizes as network_sizes
from thalweg.diagnose import gradient_check, gradient_table
from thalweg.engine import fit
from thalweg.engine.lane_map import map_sequential
from thalweg.system.files import UserError
from thalweg.tasks import Task
from thalweg.training import batches, build, composite_loss
from thalweg.training.plan import NetworkHyper, TrainingData
from thalweg.training.program import NetworkProgram

FILES = [file.name for file in pkgutil.iter_modules(models.__path__)]
MODELS = [name for name in FILES if hasattr(importlib.import_module(f"thalweg.models.{name}"), "Model")]


@cache
def build_network(model: str, inputs: tuple[int, int, int], outputs: tuple[int, ...]) -> Network | None:
    """Build a small network of a model; None if it cannot give these outputs."""
    for limit in range(1, 9):
        network = Network(model, inputs, outputs, shrink_sizes(model, limit))
        try:
            jax.eval_shape(network.init, jax.random.key(0))
        except ValueError:
            continue
        return network
    return None


def plan_of(task: Task, network: Network) -> NetworkProgram:
    objective = next(iter(task.METRIC_DIRECTIONS))
    return NetworkProgram(
        task, SPEC, network, "gradient_descent", False, (), N, 1, 1, 1, 0, objective, augmentation_searched=False
    )


def shrink_sizes(model: str, limit: int) -> tuple[tuple[str, Any], ...]:
    """A model's sizes at the least that is worth a look, since what there is has to be compiled: all that can be on is
    on, so many layers at most, and what is more than 8 (a width) is 4."""
    sizes = {name: size.default for name, size in network_sizes(model).items()}
    return tuple((name, _shrink_size(size, limit)) for name, size in sorted(sizes.items()))


def _shrink_size(size: Any, limit: int) -> Any:
    match size:
        case bool():
            return True
        case int():
            return min(size, limit) if size <= 8 else 4
        case tuple():
            return size[:limit]
        case _:
            return size


def draw_weights(network: Network) -> Weights:
    """Random weights, without compiling how a network begins."""
    draw = np.random.default_rng(1)
    form = jax.eval_shape(network.init, jax.random.key(0))
    result: Weights = jax.tree.map(
        lambda leaf: (
            np.asarray(draw.normal(0, 0.3, leaf.shape) if leaf.dtype == np.float32 else 0, leaf.dtype)
            * np.ones(leaf.shape, leaf.dtype)
        ),
        form,
    )
    return result


def build_data(task: Task) -> TrainingData:
    rows = np.arange(N, dtype=np.int32)[None]
    channels = task.input_shape(SPEC)[2]
    return TrainingData(
        images=EXAMPLES.images,
        labels=task.select_labels(EXAMPLES),
        background_index=np.zeros(N, np.int32),
        backgrounds=np.zeros((0, *SPEC.image_shape), np.uint8),
        mean=np.full(channels, 0.5, np.float32),
        scale=np.full(channels, 3.0, np.float32),
        train_rows=rows,
        train_sizes=np.array([N], np.int32),
        validation_rows=rows,
        validation_weights=np.ones((1, N), np.float32),
    )


def build_hyper(task: Task, place: int) -> NetworkHyper:
    """Every term by the loss at this place of its family, the first again after the last."""
    numbers = {
        name: {
            number: np.float32(value)
            for member in losses.FAMILIES[of]
            for number, value in hyperparameters.list_defaults(member).items()
        }
        | {"kind": np.int32(place % len(losses.FAMILIES[of])), "weight": np.float32(1 + 0.5 * i)}
        for i, (name, of) in enumerate(task.loss_families.items())
    }
    return replace(two_terms.build_hyper(), loss=numbers)


def list_pairs() -> Iterator[ParameterSet]:
    """Give every task with every model. The first pair of counting and of detecting is fast.

    Losses do not depend on `mirror`, which averages predictions.
    """
    covered = {"classify", "enhance"}
    for task in (task for task in list_task_variants() if not task.mirror):
        for model in MODELS:
            marks = pytest.mark.slow if task.kind in covered else ()
            covered.add(task.kind)
            yield pytest.param(task, model, marks=marks, id=f"{task.model_dump_json()}-{model}")


@pytest.mark.parametrize(("task", "model"), list(list_pairs()))
def test_gradients_match_differences(task: Task, model: str) -> None:
    network = build_network(model, task.input_shape(SPEC), task.output_shape(SPEC))
    if network is None:  # then no study can have the pair
        with pytest.raises(UserError, match="cannot be built for this data"):
            build.build_network(task, ModelConfig(kind=model), SPEC, background=False)
        return
    plan = plan_of(task, network)
    data = build_data(task)
    make_batch = compile_fast(
        lambda: batches.augment_batch(plan, {}, data, data.train_rows[0], rng.derive_key(0, "augment", 0))
    )
    inputs, truth = make_batch()
    weights = draw_weights(plan.network)
    for place in range(max(len(losses.FAMILIES[of]) for of in task.loss_families.values())):
        hyper = build_hyper(task, place)
        coefficient = composite_loss.compute_coefficients(plan, hyper, jnp.zeros(len(task.loss_families)), jnp.int32(0))
        names, slopes = gradient_table.follow_batch_losses(
            plan, hyper, weights, inputs, truth, coefficient, **list_hasty_options()
        )
        assert slopes.value.dtype == np.float64
        verdicts = {
            (name, term): check.verdict
            for name, checks in zip(names, gradient_check.judge_slopes(slopes), strict=True)
            for term, check in zip(gradient_table.list_loss_names(plan), checks, strict=True)
        }
        off = {where: verdict for where, verdict in verdicts.items() if verdict not in ("right", "kink")}
        assert off == {}
        assert list(verdicts.values()).count("right") >= 0.9 * len(verdicts)


def test_gradient_matches_training() -> None:
    """One update of plain gradient descent is minus the rate times the gradient of the whole loss."""
    plan = replace(two_terms.PLAN, steps_per_epoch=1, epochs=1, batch_size=8)
    hyper = two_terms.build_hyper(
        a=two_terms.build_loss_numbers(weight=np.float32(3)),
        b=two_terms.build_loss_numbers(kind=np.int32(0)),
        rate=0.01,
    )
    state = fit.init_state(plan, jnp.int32(5), jnp.int32(0))
    moved = jax.tree.map(lambda leaf: leaf + jnp.array([0.3, -0.4]), state.learner.parameters)
    state = replace(state, learner=state.learner._replace(parameters=moved))
    block = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], (hyper, state))
    data = jax.tree.map(jnp.asarray, two_terms.DATA)
    after = fit.advance_block(plan, map_sequential, block[0], block[1], data, jnp.array([1]))

    rows = batches.draw_batches(plan, two_terms.DATA, jnp.int32(5), jnp.int32(0), jnp.int32(0))[0]
    inputs, truth = batches.augment_batch(plan, {}, two_terms.DATA, rows, rng.derive_key(5, "augment", 0))
    coefficient = composite_loss.compute_coefficients(plan, hyper, state.learner.balance, jnp.int32(0))
    function = gradient_table.build_batch_losses(plan, hyper, state.learner.model_state, inputs, truth, coefficient)
    gradient = compile_fast(jax.jacrev(function))(state.learner.parameters)
    assert gradient_table.list_loss_names(plan) == ("a", "b", "all terms")
    trained = after.learner.parameters
    off = jax.tree.map(lambda new, old, slope: new[0] - old + 0.01 * slope[-1], trained, moved, gradient)
    assert max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(off)) < 1e-6
    # by hand: d/dw of 3 (w0 - 3)^2 + |w0 / 2 + w1 + 1|
    (slope,) = jax.tree.leaves(gradient)
    np.testing.assert_allclose(slope[-1], [6 * (0.3 - 3) + 0.5, 1.0], rtol=1e-5)
    np.testing.assert_allclose(slope[:2], [[2 * (0.3 - 3), 0.0], [0.5, 1.0]], rtol=1e-5)
