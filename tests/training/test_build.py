from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from ruamel.yaml import YAML

from tests.helpers.small_study import replace_space
from thalweg.config.experiment import Config
from thalweg.core import losses, optimizers, schedules
from thalweg.core.types import DataSpec
from thalweg.data.examples import Examples
from thalweg.data.splits import Splits
from thalweg.system.files import UserError
from thalweg.training import build, normalisation
from thalweg.training.plan import TrainingData

CONFIG = Config.model_validate(YAML(typ="safe").load(Path("params.yaml"))).replace_values(
    {
        "data.background": "",
        "augment.online": {"flip": 0.5},
        "task": {"kind": "count"},
        "model": {"kind": "linear"},
        "loss.terms": {"count": {"kind": "huber", "weight": 2.0, "delta": 0.5}},
        "optimizer": {"kind": "adam", "learning_rate": 0.01, "momentum": 0.7},
        "schedule": {"kind": "cosine", "warmup": 1.0, "final": 0.25},
        "training": {"epochs": 6, "batch_size": 4, "validate_every": 2, "patience": 1},
        "study.objective": "mae",
        "study.space": {
            "optimizer.clip": {"low": 0.1, "high": 1.0},
            "augment.online.noise": {"low": 0.0, "high": 0.2},
            "optimizer.learning_rate": {"low": 0.001, "high": 0.1, "log": True},
        },
    }
)
N = 12


def build_rows(*numbers: int) -> NDArray[np.int32]:
    return np.array(numbers, np.int32)


FOLDED = Splits(
    (build_rows(0, 1, 2, 3, 4, 5), build_rows(0, 1, 2, 3, 6)),
    (build_rows(6, 7), build_rows(4, 5, 7)),
    build_rows(8, 9),
)
ONE = Splits((build_rows(0, 1, 2, 3, 4),), (build_rows(5, 6, 7),), build_rows(8, 9))
COPIES = np.array([1, 6])


def draw_examples() -> Examples:
    """Ten originals and two copies; cameras a and b, each with a light of its own."""
    draw = np.random.default_rng(0)
    groups = np.array([f"camera {'ab'[i % 2]} day {i}" for i in range(10)])[[*range(10), 1, 6]]
    light = np.array([60 if "a" in group.split()[1] else 180 for group in groups])
    images = (light[:, None, None, None] + draw.integers(-20, 20, (N, 4, 5, 1))).astype(np.uint8)
    count = np.arange(N, dtype=np.float32)
    return Examples(images, groups, groups, np.full(N, ""), {"count": count})


EXAMPLES = draw_examples()


def build_training_data(splits: Splits, background: str = "") -> TrainingData:
    return build.build_data(CONFIG.replace_values({"data.background": background}), EXAMPLES, splits, COPIES)


def test_plan_has_static_values() -> None:
    plan = build.build_plan(CONFIG, build.build_data_spec(EXAMPLES), build_training_data(FOLDED), searched=False)
    assert plan.spec == DataSpec((4, 5, 1), 0)
    assert (plan.network.path, plan.network.inputs, plan.network.outputs) == ("linear", (4, 5, 1), (1,))
    assert (plan.batch_size, plan.steps_per_epoch, plan.epochs, plan.validate_every, plan.patience) == (4, 1, 6, 2, 1)
    assert (plan.optimizer_kind, plan.clips_gradient, plan.augmentation_names) == ("adam", False, ("flip",))
    assert (plan.keep, plan.epochs // plan.validate_every) == ("best", 3)


def test_searched_plan_enables_options() -> None:
    plan = build.build_plan(CONFIG, build.build_data_spec(EXAMPLES), build_training_data(ONE), searched=True)
    assert plan.clips_gradient
    assert plan.augmentation_names == ("noise", "flip")


def test_only_reachable_members_are_compiled() -> None:
    """The kind in the file, the choices of the space, and what an ablation sets; a change of the space adds no more."""
    data, shape = build_training_data(ONE), build.build_data_spec(EXAMPLES)

    def list_names(config: Config, *, searched: bool = True) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        plan = build.build_plan(config, shape, data, searched=searched)
        return plan.schedule_names, plan.loss_names

    assert list_names(CONFIG) == (("cosine",), (("huber",),))
    space = {"schedule.kind": {"choices": ["cosine", "linear"]}, "loss.terms.count.kind": {"choices": ["l1", "huber"]}}
    assert list_names(replace_space(CONFIG, space)) == (("cosine", "linear"), (("huber", "l1"),))
    assert list_names(replace_space(CONFIG, space), searched=False) == (("cosine",), (("huber",),))
    scheduled = CONFIG.replace_values({"loss.terms.count.schedule": {"kind": "one_cycle"}})
    assert list_names(scheduled) == (("constant", "cosine", "one_cycle"), (("huber",),))
    term = {"loss.terms.count.schedule.kind": {"choices": ["linear", "one_cycle"]}}
    assert list_names(replace_space(scheduled, term))[0] == ("constant", "cosine", "linear", "one_cycle")


def test_trials_share_a_plan() -> None:
    data, shape = build_training_data(ONE), build.build_data_spec(EXAMPLES)
    config = replace_space(CONFIG, {**CONFIG.study.space, "loss.terms.count.kind": {"choices": ["l1", "huber"]}})
    values: list[dict[str, Any]] = [
        {"optimizer.learning_rate": 0.05, "augment.online.noise": 0.1},
        {"loss.terms.count.kind": "l1"},
        {},
    ]
    plans = {build.build_plan(config.replace_values(setting), shape, data, searched=True) for setting in values}
    assert [plan.loss_names for plan in plans] == [(("huber", "l1"),)]
    assert (
        build.build_plan(CONFIG.replace_values({"training.batch_size": 2}), shape, data, searched=True).steps_per_epoch
        == 3
    )


@pytest.mark.parametrize(("epochs", "every"), [(6, 1), (10, 1), (24, 2), (90, 9), (97, 1), (119, 7), (120, 12)])
def test_keep_last_validates_ten_times(epochs: int, every: int) -> None:
    longer = CONFIG.replace_values({"training.epochs": epochs})
    plan = build.build_plan(
        longer, build.build_data_spec(EXAMPLES), build_training_data(ONE), searched=True, kept_weights="last"
    )
    assert (plan.validate_every, plan.patience, plan.keep) == (every, 0, "last")


def test_batch_larger_than_fold_is_refused() -> None:
    large = CONFIG.replace_values({"training.batch_size": 8})
    with pytest.raises(UserError, match=r"training.batch_size: 8 is more than the 7 .* use at most 7"):
        build.build_plan(large, build.build_data_spec(EXAMPLES), build_training_data(FOLDED), searched=False)


class Flat(nnx.Module):
    """Gives [B] where [B, 1] is wanted."""

    def __init__(self, inputs: tuple[int, ...], outputs: tuple[int, ...], *, rngs: nnx.Rngs) -> None:  # noqa: ARG002
        self.scale = nnx.Param(jnp.ones(()))

    def __call__(self, x: jax.Array) -> jax.Array:
        return x.sum((1, 2, 3)) * self.scale[...]


def test_user_model_output_shape_is_checked() -> None:
    config = CONFIG.replace_values({"model": {"kind": f"{Flat.__module__}.Flat"}})
    with pytest.raises(UserError, match=r"returns an array of shape \(2,\) for 2 examples; .* needs \(2, 1\)"):
        build.build_plan(config, build.build_data_spec(EXAMPLES), build_training_data(ONE), searched=False)


def test_unsuited_model_is_a_user_error() -> None:
    deep = CONFIG.replace_values({"model": {"kind": "cnn", "depth": 1}, "task": {"kind": "count", "density": 4}})
    with pytest.raises(UserError, match=r"model: `cnn` cannot be built for this data: 1 layers cannot lead"):
        build.build_plan(deep, DataSpec((16, 16, 3)), build_training_data(ONE), searched=False)


class Wrong(nnx.Module):
    """Expects another number of features than there are."""

    def __init__(self, inputs: tuple[int, ...], outputs: tuple[int, ...], *, rngs: nnx.Rngs) -> None:  # noqa: ARG002
        self.last = nnx.Linear(7, outputs[0], rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.last(x.reshape(len(x), -1))


class Pair(Flat):
    """Gives two arrays."""

    def __call__(self, x: jax.Array) -> Any:
        return x, x


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"kind": f"{Wrong.__module__}.Wrong"}, "cannot be built for this data: "),
        ({"kind": f"{Pair.__module__}.Pair"}, "returns no array for 2 examples"),
    ],
)
def test_model_exception_is_a_user_error(model: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        build.build_plan(
            CONFIG.replace_values({"model": model}),
            build.build_data_spec(EXAMPLES),
            build_training_data(ONE),
            searched=False,
        )


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"kind": "linear", "gain": 0.5}, r"model.gain: `linear` has no matrix of weights but in its last layer"),
        ({"kind": "toy", "last_gain": 0.5}, r"model.last_gain: `toy` has no matrix of weights in a layer named `last`"),
    ],
)
def test_scale_of_nothing_is_a_user_error(model: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        build.build_plan(
            CONFIG.replace_values({"model": model}), DataSpec((4, 5, 1), 0), build_training_data(ONE), searched=False
        )


def test_scales_of_initial_weights_share_a_plan() -> None:
    scaled = CONFIG.replace_values({"model": {"kind": "mlp", "width": 4, "gain": 0.5, "last_gain": 0.0}})
    configs = scaled, scaled.replace_values({"model.gain": 1.0, "model.last_gain": 1.0})
    data = build_training_data(ONE)
    assert len({build.build_plan(config, DataSpec((4, 5, 1), 0), data, searched=True) for config in configs}) == 1


def test_every_number_reaches_the_program() -> None:
    hyper = build.build_hyper(CONFIG)
    loss = hyper.loss["count"]
    assert losses.list_losses("regression")[loss["kind"]] == "huber"
    assert (loss["weight"], loss["delta"]) == (2.0, 0.5)
    assert schedules.list_schedules()[hyper.schedule["kind"]] == "cosine"
    assert (hyper.schedule["warmup"], hyper.schedule["final"]) == (1.0, 0.25)
    assert hyper.optimizer == {
        name: np.float32(value)
        for name, value in (optimizers.list_optimizer_defaults("adam") | {"momentum": 0.7}).items()
    }
    assert (hyper.gain, hyper.last_gain) == (1.0, 1.0)
    scaled = build.build_hyper(CONFIG.replace_values({"model": {"kind": "mlp", "gain": 0.3, "last_gain": 0.0}}))
    assert (scaled.gain, scaled.last_gain) == (np.float32(0.3), 0.0)
    assert hyper.clip == np.inf
    assert build.build_hyper(CONFIG.replace_values({"optimizer.clip": 0.5})).clip == 0.5
    assert (hyper.augment["flip"], hyper.augment["noise"]) == (0.5, 0.0)


def test_copies_only_train() -> None:
    data = build_training_data(FOLDED)
    folds = [data.train_rows[k, :size].tolist() for k, size in enumerate(data.train_sizes)]
    assert folds == [[0, 1, 2, 3, 4, 5, 10], [0, 1, 2, 3, 6, 10, 11]]
    assert not set(data.validation_rows.ravel().tolist()) & {8, 9, 10, 11}


def test_unequal_folds_are_padded() -> None:
    data = build_training_data(FOLDED)
    assert data.validation_weights.tolist() == [[1, 1, 0], [1, 1, 1]]
    assert data.validation_rows[0, :2].tolist() == [6, 7]
    assert data.validation_rows[1].tolist() == [4, 5, 7]


@pytest.mark.parametrize("background", ["", "camera ."])
def test_inputs_are_normalised(background: str) -> None:
    data = build_training_data(ONE, background)
    image = EXAMPLES.images[ONE.train[0]] / 255
    if background:
        image = np.concatenate([image, image - data.backgrounds[data.background_index[ONE.train[0]]] / 255], -1)
    normalised = (image - data.mean) * data.scale
    np.testing.assert_allclose(normalised.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(normalised.std((0, 1, 2)), 1, rtol=1e-5)


def test_background_is_camera_median() -> None:
    data = build_training_data(ONE, "camera .")
    for camera, place in (("a", 0), ("b", 1)):
        rows = [row for row in ONE.train[0] if f"camera {camera}" in EXAMPLES.groups[row]]
        wanted = np.median(EXAMPLES.images[rows].astype(float), axis=0)
        assert np.abs(data.backgrounds[place] - wanted).max() <= 0.5
    assert data.background_index.tolist() == [0 if "camera a" in group else 1 for group in EXAMPLES.groups]


def test_group_without_camera_is_named() -> None:
    with pytest.raises(UserError, match="finds no camera in the groups camera a day 0, "):
        build_training_data(ONE, "station")


@given(st.integers(0, 5))
def test_no_backgrounds_add_no_channel(count: int) -> None:
    images = np.zeros((count, 2, 2, 1), np.uint8)
    assert normalisation.find_nearest_background(images, images[:0]).tolist() == [0] * count
    assert len(normalisation.compute_camera_backgrounds("", images, np.full(count, "camera"), np.arange(count))) == 0
