"""The contract of every task; a new file in pipeline/tasks/ is tested automatically."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import ValidationError

from tests.helpers.every_task import CLASSES, EXAMPLES, SPEC, N, list_task_variants
from tests.helpers.fast_jit import compile_fast, run_task_method
from tests.helpers.paths import ROOT
from thalweg.core import augmentations, losses, rng
from thalweg.core.types import DataSpec, Tree
from thalweg.data.examples import Examples
from thalweg.schema.section import build_member_validator, find_members
from thalweg.system.members import MemberError
from thalweg.tasks import Task
from thalweg.tasks.count import Count
from thalweg.tasks.detect import Detect

OWN_CODE_PAGE = ROOT / "docs" / "own-code.md"
IMAGES = EXAMPLES.images.astype(np.float32) / 255
KEYS = jax.random.split(rng.derive_key(0, "test"), N)


FIRST = {
    kind: next(task for task in list_task_variants() if task.kind == kind)
    for kind in sorted({t.kind for t in list_task_variants()})
}
VARIANTS = [
    pytest.param(task, marks=() if task == FIRST[task.kind] else pytest.mark.slow, id=task.model_dump_json())
    for task in list_task_variants()
]
"""Every task; fast is each at its defaults."""


@pytest.fixture(scope="module", params=VARIANTS)
def task(request: pytest.FixtureRequest) -> Task:
    result: Task = request.param
    return result


@pytest.fixture(scope="module")
def outputs(task: Task) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(N, *task.output_shape(SPEC))).astype(np.float32)


@pytest.fixture(scope="module")
def targets(task: Task) -> dict[str, np.ndarray]:
    result: dict[str, np.ndarray] = run_task_method(task, "build_targets", build_labels(task), SPEC)
    return result


@pytest.fixture(scope="module")
def predictions(task: Task, outputs: np.ndarray) -> Any:
    return run_task_method(task, "decode_outputs", outputs)


@pytest.fixture(scope="module")
def metric_values(task: Task, predictions: np.ndarray, targets: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    result: dict[str, np.ndarray] = run_task_method(
        task, "compute_metrics", predictions, targets, np.ones(N, np.float32)
    )
    return result


@pytest.fixture(scope="module")
def network_inputs(task: Task) -> Any:
    """What a network is given of each image."""
    return run_task_method(task, "corrupt_images", KEYS, IMAGES)


def build_labels(task: Task, rows: Any = slice(None)) -> dict[str, np.ndarray]:
    """What targets are made of, as the engine gives it."""
    image = {"image": IMAGES[rows]} if task.CORRUPTS_INPUT else {}
    return {name: values[rows] for name, values in task.select_labels(EXAMPLES).items()} | image


def test_task_is_hashable_and_json(task: Task) -> None:
    again = build_member_validator("thalweg.tasks")(task.model_dump(mode="json"))
    assert again == task
    assert hash(again) == hash(task)


def test_missing_data_is_a_fault(task: Task) -> None:
    assert task.find_data_faults(EXAMPLES) == []
    nothing = Examples(EXAMPLES.images, EXAMPLES.names, EXAMPLES.groups, EXAMPLES.split, {})
    assert bool(task.find_data_faults(nothing)) != task.CORRUPTS_INPUT  # images alone teach it


def test_terms_take_family_losses(task: Task, outputs: np.ndarray, targets: dict[str, np.ndarray]) -> None:
    @compile_fast
    def apply_every_loss(outputs: jax.Array, targets: Tree) -> dict[str, list[jax.Array]]:
        terms = task.build_loss_terms(outputs, targets)
        kinds = {name: range(len(losses.FAMILIES[task.loss_families[name]])) for name in terms}
        return {
            n: [losses.apply_loss(task.loss_families[n], jnp.int32(k), {}, terms[n]) for k in kinds[n]] for n in terms
        }

    term_losses = apply_every_loss(outputs, targets)
    assert term_losses.keys() == task.loss_families.keys()
    for each in (each for name in term_losses for each in term_losses[name]):
        assert each.shape == (N,)
        assert np.isfinite(each).all()


def test_every_example_has_a_gradient(task: Task, targets: dict[str, Any]) -> None:
    @compile_fast
    @jax.grad
    def slopes(outputs: jax.Array) -> jax.Array:
        terms = task.build_loss_terms(outputs, targets)
        each = [losses.apply_loss(task.loss_families[n], jnp.int32(0), {}, term).sum() for n, term in terms.items()]
        return jnp.stack(each).sum()

    for start in (-5.0, 0.0, 60.0):
        slope = slopes(
            np.full((N, *task.output_shape(SPEC)), start, np.float32) + np.arange(task.output_shape(SPEC)[-1])
        )
        assert np.isfinite(slope).all()
        assert (np.abs(slope).reshape(N, -1).max(1) > 0).all()


def test_examples_are_independent(
    task: Task, outputs: np.ndarray, targets: dict[str, np.ndarray], predictions: np.ndarray
) -> None:
    for name, values in run_task_method(task, "build_targets", build_labels(task, slice(2, 3)), SPEC).items():
        np.testing.assert_allclose(values[0], targets[name][2], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run_task_method(task, "decode_outputs", outputs[2:3])[0], predictions[2], rtol=1e-5)


def test_metrics_ignore_padding(
    task: Task, predictions: np.ndarray, targets: dict[str, np.ndarray], metric_values: dict[str, np.ndarray]
) -> None:
    assert len(predictions) == N
    assert metric_values.keys() == task.METRIC_DIRECTIONS.keys()
    assert all(value.shape == () and np.isfinite(value) for value in metric_values.values())

    padded = {name: np.concatenate([values, values[:3] + 1]) for name, values in targets.items()}
    more = np.concatenate([predictions, np.full((3, *predictions.shape[1:]), np.nan, np.float32)])
    weighted = run_task_method(task, "compute_metrics", more, padded, np.repeat(np.array([1, 0], np.float32), [N, 3]))
    for name, value in metric_values.items():
        np.testing.assert_allclose(weighted[name], value, rtol=1e-5)


def test_first_metric_can_be_optimized(task: Task) -> None:
    assert set(task.METRIC_DIRECTIONS.values()) <= {"min", "max", "zero"}
    assert next(iter(task.METRIC_DIRECTIONS.values())) in ("min", "max")


def test_prediction_options_are_options(task: Task) -> None:
    assert type(task).model_fields.keys() >= task.PREDICTION_OPTIONS


def test_metrics_stay_within_bounds(task: Task, metric_values: dict[str, np.ndarray]) -> None:
    for name in task.METRIC_DIRECTIONS:
        low, high = task.metric_bounds(name)
        assert low <= float(metric_values[name]) <= high + 1e-6
        assert np.isfinite(low) == (task.METRIC_DIRECTIONS[name] != "zero")


def test_tables_cover_every_example(task: Task, predictions: np.ndarray) -> None:
    table = task.build_prediction_columns(predictions, CLASSES)
    assert ("prediction" in table) == (task.OUTPUT_KIND != "image")
    assert {len(column) for column in table.values()} <= {N}
    assert len(task.list_true_values(EXAMPLES)) == N
    errors = task.compute_errors(predictions, EXAMPLES)
    assert errors.shape == (N,)
    assert errors.dtype == np.float64
    assert (errors >= 0).all()


@pytest.mark.parametrize(
    ("kind", "options", "refused"),
    [
        ("classify", {}, set()),
        ("count", {}, {"shift", "cutout"}),
        ("count", {"density": 8}, set()),
        ("detect", {}, set()),
        *(("enhance", {"problem": problem}, {"noise", "cutout"}) for problem in ("denoise", "deblur", "upscale")),
        ("enhance", {"problem": "lighten"}, {"brightness", "contrast", "noise", "cutout"}),
    ],
)
def test_unsafe_augmentations_are_refused(kind: str, options: dict[str, Any], refused: set[str]) -> None:
    known = {"brightness", "contrast", "noise", "flip", "shift", "cutout"}
    task = cast(Callable[..., Task], find_members("thalweg.tasks")[kind])(**options)
    assert known - set(task.allowed_augmentations) == refused


def test_labels_are_augmented(task: Task) -> None:
    strengths = dict.fromkeys(task.allowed_augmentations, jnp.float32(0.5))

    @compile_fast
    def augment_and_build(batch: Tree) -> Tree:
        return task.build_targets(
            augmentations.apply_augmentations(task.allowed_augmentations, rng.derive_key(0, "test"), batch, strengths),
            SPEC,
        )

    batch = build_labels(task) | {"image": IMAGES}
    plain, changed = run_task_method(task, "build_targets", batch, SPEC), augment_and_build(batch)
    assert {n: (v.shape, v.dtype) for n, v in changed.items()} == {n: (v.shape, v.dtype) for n, v in plain.items()}


def test_augmented_labels_agree(task: Task) -> None:
    labels = task.reconcile_labels(EXAMPLES.labels | {"present": np.zeros_like(EXAMPLES.labels["present"])})
    assert labels.keys() == EXAMPLES.labels.keys()
    assert labels["count"].dtype == np.float32
    assert not labels["count"].any()
    for name, values in task.reconcile_labels(EXAMPLES.labels).items():
        np.testing.assert_array_equal(values, EXAMPLES.labels[name])


def test_inputs_are_corrupted_independently(task: Task, network_inputs: np.ndarray) -> None:
    assert network_inputs.shape == (N, *task.input_shape(SPEC))
    assert np.logical_and(network_inputs >= 0, network_inputs <= 1).all()
    alone = run_task_method(task, "corrupt_images", KEYS[2:3], IMAGES[2:3])
    np.testing.assert_allclose(alone[0], network_inputs[2], atol=1.01 / 255)
    assert task.CORRUPTS_INPUT or (network_inputs == IMAGES).all()


def test_every_example_has_a_picture(task: Task, network_inputs: np.ndarray, predictions: np.ndarray) -> None:
    pictures = task.draw_pictures(EXAMPLES, network_inputs, predictions)
    assert len(pictures) == N
    assert {picture.dtype for picture in pictures} == {np.dtype(np.uint8)}
    assert {len(column) for column in task.build_extra_columns(EXAMPLES, network_inputs, predictions).values()} <= {N}
    images = task.render_images(predictions)
    assert (images is None) == (task.OUTPUT_KIND != "image")
    assert images is None or (images.shape == EXAMPLES.images.shape and images.dtype == np.uint8)


OWN = """
import jax.numpy as jnp
from thalweg.core.metrics import Metric


def compute_worst(prediction, truth, weight):
    return jnp.where(weight > 0, abs(prediction - truth), 0.0).max()


worst = Metric("min", low=0.0, function=compute_worst)
best = Metric("max", function=lambda prediction, truth, weight: prediction)
mae = worst
val_loss = state = rank = worst
sideways = Metric("up", function=compute_worst)
"""


@pytest.fixture
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_metrics_of_test.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    return "own_metrics_of_test"


def test_own_metric_is_measured_beside_others(own_file: str) -> None:
    task = Count(metrics=(f"{own_file}.worst",))
    truth, weight = np.array([1, 2, 9], np.float32), np.array([1, 1, 0], np.float32)
    measured = run_task_method(task, "measure_predictions", truth * 2, {"count": truth}, weight)
    assert measured.keys() == task.metric_directions.keys() == {*Count.METRIC_DIRECTIONS, "worst"}
    assert measured["worst"] == 2
    assert (task.cost_sign("worst"), task.metric_bounds("worst")) == (1, (0.0, np.inf))


def test_own_metric_compares_numbers_of_objects(own_file: str) -> None:
    task = Detect(side=4.0, classes=False, metrics=(f"{own_file}.worst",))
    labels = {"points": np.full((1, 2, 2), 9, np.float32), "present": np.array([[True, False]])}
    targets = run_task_method(task, "build_targets", labels, DataSpec((16, 16, 3)))
    nothing = np.zeros((1, 2, 2, 5), np.float32)
    assert run_task_method(task, "measure_predictions", nothing, targets, np.ones(1, np.float32))["worst"] == 1


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["worst", "worst"], "names two metrics `worst`"),
        (["mae"], "has the name of another metric, `mae`"),
        (["val_loss"], "has the name of a column of our tables, `val_loss`; give it another one"),
        (["state"], "has the name of a column of our tables, `state`"),
        (["rank"], "has the name of a column of our tables, `rank`"),
        (["sideways"], "has the direction 'up'; it must be min, max or zero"),
        (["compute_worst"], r"must be a `thalweg\.core\.metrics\.Metric` with a function"),
    ],
)
def test_wrong_own_metric_is_one_sentence(names: list[str], fault: str, own_file: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        Count.model_validate({"metrics": [f"{own_file}.{name}" for name in names]})


def test_own_metric_returns_one_number(own_file: str) -> None:
    task = Count(metrics=(f"{own_file}.best",))
    with pytest.raises(MemberError, match=r"best` returns an array of shape \[2\]; it must return one number"):
        task.measure_predictions(jnp.ones(2), {"count": jnp.ones(2)}, jnp.ones(2))


@pytest.mark.parametrize("kind", FIRST)
def test_page_says_what_an_own_metric_gets(kind: str) -> None:
    (row,) = re.findall(rf"^\| `{kind}` \| `(.*?)`.*? \| `(.*?)`", OWN_CODE_PAGE.read_text(), re.MULTILINE)
    task, draw = FIRST[kind], np.random.default_rng(0)
    outputs = draw.normal(size=(N, *task.output_shape(SPEC))).astype(np.float32)
    targets = run_task_method(task, "build_targets", build_labels(task), SPEC)
    given = run_task_method(task, "select_values", run_task_method(task, "decode_outputs", outputs), targets)
    sizes = {N: "N", len(CLASSES): "K"} | ({10: "H", 16: "W", 3: "C"} if kind == "enhance" else {})
    assert row == tuple(f"{values.dtype} [{', '.join(sizes[size] for size in values.shape)}]" for values in given)
