"""The landscape of f(x, w) = a + b x + exp(c x), whose every height and slope NumPy knows: the picture and the path.

A mini-batch holds all training images, so that a step is one of plain gradient descent.
"""

import jax
import numpy as np
import pytest

from thalweg.artifacts.prepared import PreparedData
from thalweg.config.experiment import Config
from thalweg.confirm import candidates
from thalweg.data.examples import Examples
from thalweg.data.splits import Splits
from thalweg.diagnose import landscape
from thalweg.diagnose.landscape import LandscapeTables
from thalweg.engine.devices import copy_to_devices
from thalweg.training import build

RATE = 0.03
TRAINED = 24
POINTS = 9


@pytest.fixture(scope="module")
def toy_config(config: Config) -> Config:
    return config.replace_values(
        {
            "model": {"kind": "toy"},
            "optimizer": {"kind": "gradient_descent", "learning_rate": RATE},
            "training": {"epochs": 8, "batch_size": TRAINED},
            "diagnose.landscape": {"points": POINTS, "examples": TRAINED, "seeds": 2},
            "study.space": {"optimizer.learning_rate": {"low": 1e-3, "high": 0.1, "log": True}},
        }
    )


def read_inputs_and_counts(
    toy: Config, examples: Examples, splits: Splits, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Brightness as the network is given it, and counts, of some images."""
    data = build.build_data(toy, examples, splits, np.zeros(0, int))
    pixels = examples.images[rows].astype(np.float64) / 255
    x = ((pixels - data.mean) * data.scale).reshape(len(rows), -1).mean(1)
    return x, examples.labels["count"][rows].astype(np.float64)


@pytest.fixture(scope="module")
def training_arrays(toy_config: Config, examples: Examples, splits: Splits) -> tuple[np.ndarray, np.ndarray]:
    """All training images, which every step is taken by."""
    return read_inputs_and_counts(toy_config, examples, splits, splits.train[0])


@pytest.fixture(scope="module")
def evaluation_arrays(toy_config: Config, examples: Examples, splits: Splits) -> tuple[np.ndarray, np.ndarray]:
    """Those of them that the survey looks at: as many as there are to validate on."""
    return read_inputs_and_counts(
        toy_config, examples, splits, landscape.subsample_rows(splits.train[0], len(splits.validation[0]))
    )


@pytest.fixture(scope="module")
def landscape_tables(toy_config: Config, examples: Examples, splits: Splits) -> LandscapeTables:
    loaded = PreparedData(examples, splits, np.zeros(0, int))
    tables = landscape.survey_landscape(
        toy_config, loaded, build.build_data(toy_config, examples, splits, loaded.copy_origins), {}
    )
    assert tables is not None
    return tables


def compute_loss(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    """The mean squared error of the count, log(1 + e^f), which is never negative."""
    f = w[0] + w[1] * x + np.exp(w[2] * x)
    result: float = np.square(np.logaddexp(0, f) - y).mean()
    return result


def compute_gradient(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    f = w[0] + w[1] * x + np.exp(w[2] * x)
    pull = 2 * (np.logaddexp(0, f) - y) / (1 + np.exp(-f))
    return np.array([pull.mean(), (pull * x).mean(), (pull * x * np.exp(w[2] * x)).mean()])


@pytest.fixture(scope="module")
def descent_path(toy_config: Config, examples: Examples, splits: Splits) -> np.ndarray:
    host = build.build_data(toy_config, examples, splits, np.zeros(0, int))
    plan = build.build_plan(toy_config, build.build_data_spec(examples), host, searched=True)
    states = landscape.record_training_path(
        plan, build.build_hyper(toy_config), copy_to_devices(host), candidates.list_confirm_seeds(toy_config)[:1]
    )
    return np.array(
        [[float(np.ravel(leaf)[0]) for leaf in jax.tree.leaves(one[0].learner.parameters)] for one in states]
    )


def test_path_matches_descent_by_hand(descent_path: np.ndarray, training_arrays: tuple[np.ndarray, np.ndarray]) -> None:
    by_hand = [descent_path[0]]
    for _ in range(len(descent_path) - 1):
        by_hand.append(by_hand[-1] - RATE * compute_gradient(by_hand[-1], *training_arrays))
    np.testing.assert_allclose(descent_path, by_hand, rtol=1e-4, atol=1e-5)
    assert np.linalg.norm(descent_path[-1] - descent_path[0]) > 0.5


def test_path_losses_match_formula(
    landscape_tables: LandscapeTables, descent_path: np.ndarray, evaluation_arrays: tuple[np.ndarray, np.ndarray]
) -> None:
    np.testing.assert_allclose(
        landscape_tables["path"]["train"], [compute_loss(w, *evaluation_arrays) for w in descent_path], rtol=1e-4
    )


def test_plane_losses_match_formula(
    landscape_tables: LandscapeTables, descent_path: np.ndarray, evaluation_arrays: tuple[np.ndarray, np.ndarray]
) -> None:
    """The plane's directions follow from the path alone: its principal ones, in which three weights lie."""
    apart = descent_path - descent_path[-1]
    axes = np.linalg.svd(apart, full_matrices=False)[2][:2]
    axes *= np.where(apart[0] @ axes.T < 0, -1, 1)[:, None]
    np.testing.assert_allclose(landscape_tables["path"][["a", "b"]], apart @ axes.T, atol=1e-3)
    plane = landscape_tables["plane"].query("plane == 'path' and part == 'train'")
    assert len(plane) == POINTS**2
    wanted = [
        compute_loss(descent_path[-1] + place @ axes, *evaluation_arrays) for place in plane[["a", "b"]].to_numpy()
    ]
    np.testing.assert_allclose(plane["loss"], wanted, rtol=2e-3)


def test_final_curvature_matches_formula(
    landscape_tables: LandscapeTables, descent_path: np.ndarray, evaluation_arrays: tuple[np.ndarray, np.ndarray]
) -> None:
    step = 1e-5
    hessian = [
        (
            compute_gradient(descent_path[-1] + e, *evaluation_arrays)
            - compute_gradient(descent_path[-1] - e, *evaluation_arrays)
        )
        / (2 * step)
        for e in step * np.eye(3)
    ]
    ends = np.linalg.eigvalsh((np.array(hessian) + np.array(hessian).T) / 2)
    last = landscape_tables["curvature"].iloc[-1]
    assert last["largest"] == pytest.approx(ends[-1], rel=1e-3)
    assert last["smallest"] == pytest.approx(ends[0], abs=2e-2 * ends[-1])
    assert last["limit"] == pytest.approx(2 / RATE)
