"""Landscapes that are known exactly: a loss that is a quadratic of two weights, and ways laid in a plane by hand."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.helpers.two_terms import DATA, PLAN, build_hyper, build_loss_numbers
from thalweg.artifacts.weights import Weights
from thalweg.diagnose import loss_surface
from thalweg.engine.devices import copy_to_devices
from thalweg.training.program import NetworkProgram

ON = loss_surface.build_evaluation_sets(PLAN, copy_to_devices(DATA), [np.arange(6), np.arange(6, 12)])
ORIGIN = {"weight": jnp.array([1.0, 2.0])}


def draw_weights(plan: NetworkProgram) -> Weights:
    """The network's own tree with other numbers in it."""
    parameters, rest = plan.network.init(jax.random.key(0))
    leaves, form = jax.tree.flatten(parameters)
    return jax.tree.unflatten(form, [jnp.array([1.0, 2.0]) for _ in leaves]), rest


def draw_directions(tree: Any, *directions: list[float]) -> Any:
    leaves, form = jax.tree.flatten(tree)
    return jax.tree.unflatten(form, [jnp.array(directions) for _ in leaves])


def compute_loss_by_hand(w: np.ndarray) -> np.ndarray:
    """3 (w0 - 3)^2 + (w0 / 2 + w1 + 1)^2: what the two terms ask for, the first counting three times."""
    result: np.ndarray = 3 * (w[..., 0] - 3) ** 2 + (w[..., 0] / 2 + w[..., 1] + 1) ** 2
    return result


GIVEN = build_hyper(a=build_loss_numbers(weight=np.float32(3)))


def test_losses_match_formula() -> None:
    start = draw_weights(PLAN)
    places = loss_surface.build_grid([-1, -2], [1, 2], 5)
    losses = loss_surface.compute_point_losses(
        PLAN, GIVEN, start, draw_directions(start[0], [1.0, 0.0], [0.5, 1.0]), places, ON
    )
    assert losses.shape == (25, 2, 6)
    wanted = compute_loss_by_hand(np.array([1.0, 2.0]) + places @ np.array([[1.0, 0.0], [0.5, 1.0]]))
    np.testing.assert_allclose(losses, np.broadcast_to(wanted[:, None, None], losses.shape), rtol=1e-5)


def test_map_through_origin_contains_it_exactly() -> None:
    places = loss_surface.build_grid([-0.3], [0.6], 10)
    assert 0.0 in places
    np.testing.assert_allclose(places[:, 0], np.linspace(-0.3, 0.6, 10), atol=1e-15)


def test_partial_batch_counts_examples_once() -> None:
    odd = replace(PLAN, batch_size=4)
    truth = {"a": jnp.arange(12.0), "b": jnp.zeros(12)}
    on = loss_surface.EvaluationSets(ON.inputs, {name: values.reshape(2, 6) for name, values in truth.items()})
    start = draw_weights(odd)
    losses = loss_surface.compute_point_losses(
        odd, build_hyper(), start, draw_directions(start[0], [0.0, 0.0]), np.zeros((1, 1)), on
    )[0]
    np.testing.assert_allclose(losses.ravel(), (1 - np.arange(12.0)) ** 2 + 2.5**2, rtol=1e-5)


def test_loss_ignores_other_points() -> None:
    start = draw_weights(PLAN)
    way = draw_directions(start[0], [1.0, 0.3])
    places = np.linspace(-1, 1, 7)[:, None]
    among = loss_surface.compute_point_losses(PLAN, GIVEN, start, way, places, ON)
    for place in range(7):
        alone = loss_surface.compute_point_losses(PLAN, GIVEN, start, way, places[place : place + 1], ON)
        np.testing.assert_array_equal(alone[0], among[place])


def test_gradient_matches_formula() -> None:
    start = draw_weights(PLAN)
    slope = jax.grad(loss_surface.build_mean_loss(PLAN))(start[0], (start[1], GIVEN, ON))
    second = 2 * (1 / 2 + 2 + 1)
    np.testing.assert_allclose(jax.tree.leaves(slope)[0], [6 * (1 - 3) + second / 2, second], rtol=1e-5)


def test_directions_are_filter_normalised() -> None:
    tree = {"kernel": jax.random.normal(jax.random.key(1), (5, 3)), "bias": jnp.ones(3)}
    way = loss_surface.draw_filter_directions(jax.random.key(0), tree, 2)
    norms = np.linalg.norm(tree["kernel"], axis=0)
    np.testing.assert_allclose(np.linalg.norm(way["kernel"], axis=1), np.stack([norms, norms]), rtol=1e-5)
    assert not way["bias"].any()
    assert not np.allclose(way["kernel"][0], way["kernel"][1])


def test_scalars_are_all_moved() -> None:
    tree = {"a": jnp.float32(2.0), "b": jnp.float32(-3.0)}
    way = loss_surface.draw_filter_directions(jax.random.key(0), tree, 1)
    assert abs(float(way["a"][0])) == pytest.approx(2)
    assert abs(float(way["b"][0])) == pytest.approx(3)


def test_path_in_plane_is_recovered() -> None:
    draw = np.random.default_rng(0)
    first, second = np.linalg.qr(draw.normal(size=(12, 2)))[0].T
    t = np.linspace(1, 0, 9)[:, None]
    way = 5 * t * first + 2 * t * (1 - t) * second + draw.normal(size=12)
    path = loss_surface.fit_principal_plane([{"w": row.reshape(3, 4)} for row in way])
    assert path.variance_shares.sum() == pytest.approx(1)
    np.testing.assert_allclose(path.coordinates[-1], 0, atol=1e-9)
    assert (path.coordinates[0] >= -1e-9).all()
    flat = np.asarray(path.directions["w"], np.float64).reshape(2, 12)
    np.testing.assert_allclose(flat @ flat.T, np.eye(2), atol=1e-5)
    np.testing.assert_allclose(path.coordinates @ flat, way - way[-1], atol=1e-5)


def test_constant_path_has_no_extent() -> None:
    path = loss_surface.fit_principal_plane([{"w": np.ones(3)}] * 4)
    assert np.isfinite(path.coordinates).all()
    assert np.abs(path.coordinates).max() == 0


def test_map_has_margin_and_least_width() -> None:
    low, high = loss_surface.bounding_box(np.array([[8.0, 0.1], [0.0, 0.0]]))
    assert low[0] == pytest.approx(-2)
    assert high[0] == pytest.approx(10)
    assert high[1] - low[1] == pytest.approx(2 * 1.5)
