"""The winner's gradient, on a mini-batch as it is trained on."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.helpers.small_study import build_training_data
from thalweg.artifacts.prepared import PreparedData
from thalweg.artifacts.weights import Weights
from thalweg.config.experiment import Config
from thalweg.confirm import candidates
from thalweg.core import losses
from thalweg.data.examples import Examples
from thalweg.data.splits import Splits
from thalweg.diagnose import gradient_check, gradient_table
from thalweg.engine import population
from thalweg.training import build
from thalweg.training.program import NetworkProgram

KINDS = losses.list_losses("regression")


@pytest.fixture(scope="module")
def prepared_data(examples: Examples, splits: Splits) -> PreparedData:
    return PreparedData(examples, splits, np.zeros(0, int))


@pytest.fixture(scope="module")
def initial_weights(config: Config, prepared_data: PreparedData) -> Weights:
    state = population.init_lane(build_plan(config, prepared_data), build.build_hyper(config), 4, 0)
    return state.learner.parameters, state.learner.model_state


def build_plan(config: Config, loaded: PreparedData) -> NetworkProgram:
    return build.build_plan(
        config, build.build_data_spec(loaded.examples), build_training_data(config, loaded), searched=True
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_term_is_checked_in_each_direction(
    config: Config, prepared_data: PreparedData, initial_weights: Weights, kind: str
) -> None:
    table = gradient_table.build_gradient_table(
        config,
        prepared_data,
        build_training_data(config, prepared_data),
        {"loss.terms.count.kind": kind},
        initial_weights,
    )
    assert tuple(table) == gradient_table.GRADIENT_COLUMNS
    assert set(zip(table["term"], table["kind"], strict=True)) == {("count", kind)}
    assert table["direction"].nunique() == 17
    assert {"last.bias[0]", "last.kernel[15, 0]"} <= set(table["direction"])
    assert table.groupby("direction")["step"].apply(list).tolist() == [list(gradient_check.STEP_SIZES)] * 17
    assert set(table["verdict"]) == {"right"}
    assert table.groupby("direction")["error"].min().max() < 1e-6


def test_gradient_is_of_first_batch_and_seed(
    config: Config, prepared_data: PreparedData, initial_weights: Weights
) -> None:
    """By hand: l2 of softplus(x w + b) in NumPy."""
    data, plan = build_training_data(config, prepared_data), build_plan(config, prepared_data)
    inputs, truth = gradient_table.draw_first_batch(
        plan, build.build_hyper(config), data, jnp.int32(candidates.list_confirm_seeds(config)[0])
    )
    kernel, bias = (np.asarray(initial_weights[0]["last"][name][...], np.float64) for name in ("kernel", "bias"))
    flat = np.asarray(inputs, np.float64).reshape(8, -1)
    outputs = (flat @ kernel + bias)[:, 0]
    error = np.log1p(np.exp(outputs)) - np.asarray(truth["count"])
    slope = (2 * error / (1 + np.exp(-outputs)))[:, None] * flat
    table = gradient_table.build_gradient_table(config, prepared_data, data, {}, initial_weights)
    slopes = [table.loc[table["direction"] == f"last.kernel[{i}, 0]", "analytic"].iloc[0] for i in range(flat.shape[1])]
    np.testing.assert_allclose(slopes, slope.mean(0), rtol=1e-6, atol=1e-9)


def test_diverged_network_is_not_judged(config: Config, prepared_data: PreparedData, initial_weights: Weights) -> None:
    diverged = jax.tree.map(lambda leaf: jnp.full_like(leaf, jnp.nan), initial_weights)
    table = gradient_table.build_gradient_table(
        config, prepared_data, build_training_data(config, prepared_data), {}, diverged
    )
    assert set(table["verdict"]) == {"unknown"}


def test_no_weights_give_an_empty_table(config: Config, prepared_data: PreparedData) -> None:
    table = gradient_table.build_gradient_table(
        config, prepared_data, build_training_data(config, prepared_data), {}, None
    )
    assert tuple(table) == gradient_table.GRADIENT_COLUMNS
    assert table.empty
