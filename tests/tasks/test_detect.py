from typing import Any

import numpy as np
import pytest

from tests.helpers.fast_jit import run_task_method
from thalweg.core.types import DataSpec
from thalweg.data.examples import Examples
from thalweg.data.sources.scenes import Scenes
from thalweg.tasks.detect import Detect, draw_boxes

SPEC = DataSpec((16, 24, 3), 2)
BOXES = np.array(
    [[[1, 2, 5, 8], [9, 0, 21, 12], [0, 0, 0, 0]], [[0, 0, 8, 8], [2, 2, 4, 4], [16, 8, 24, 16]]], np.float32
)
PRESENT = np.array([[True, True, False], [True, True, True]])
KINDS = np.array([[1, 0, 0], [0, 1, 1]], np.int32)
LABELS = {"boxes": BOXES, "present": PRESENT, "kinds": KINDS}
EMPTY = np.full(2, "")
EXAMPLES = Examples(np.zeros((2, *SPEC.image_shape), np.uint8), EMPTY, EMPTY, EMPTY, LABELS, ("adult", "child"))


def build_targets(task: Detect, labels: dict[str, np.ndarray] = LABELS, spec: DataSpec = SPEC) -> dict[str, Any]:
    result: dict[str, Any] = run_task_method(
        task, "build_targets", {name: labels[name] for name in task.select_labels(EXAMPLES)}, spec
    )
    return result


def decode_outputs(task: Detect, outputs: Any) -> Any:
    return run_task_method(task, "decode_outputs", np.asarray(outputs, np.float32))


def build_loss_terms(task: Detect, outputs: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = run_task_method(task, "build_loss_terms", np.asarray(outputs, np.float32), wanted)
    return result


def compute_metrics(task: Detect, predictions: Any, wanted: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    result: dict[str, np.ndarray] = run_task_method(
        task, "compute_metrics", predictions, wanted, np.ones(len(predictions), np.float32)
    )
    return result


def build_true_outputs(task: Detect, labels: dict[str, np.ndarray] = LABELS, spec: DataSpec = SPEC) -> np.ndarray:
    """What a network must say to be wholly right."""
    wanted = build_targets(task, labels, spec)
    sure = np.where(wanted["held"] > 0, 40.0, -40.0)[..., None]
    size = [] if task.side else [wanted["size"]]
    likely = [40.0 * np.eye(spec.class_count)[wanted["kind"]]] if task.classes else []
    return np.concatenate([sure, wanted["position"], *size, *likely], -1)


def test_cell_holds_object_centred_in_it() -> None:
    wanted = build_targets(Detect(cell=8))
    np.testing.assert_array_equal(wanted["held"][0], [[1, 1, 0], [0, 0, 0]])
    np.testing.assert_allclose(wanted["position"][0, 0, 0], [(3 - 4) / 8, (5 - 4) / 8])
    np.testing.assert_allclose(wanted["position"][0, 0, 1], [(15 - 12) / 8, (6 - 4) / 8])
    np.testing.assert_allclose(np.exp(wanted["size"][0, 0, 1]), [12 / 8, 12 / 8], rtol=1e-6)
    assert wanted["kind"][0, 0].tolist() == [1, 0, 0]


def test_crowded_cell_keeps_one_object() -> None:
    wanted = build_targets(Detect(cell=8))
    assert wanted["held"][1].sum() == 2
    np.testing.assert_allclose(wanted["size"][1, 0, 0], [0, 0], atol=1e-6)
    points = np.array([[[2, 3], [5, 6]]], np.float32)
    labels = {"points": points, "present": np.ones((1, 2), bool)}
    wanted = run_task_method(Detect(side=4.0, classes=False), "build_targets", labels, SPEC)
    np.testing.assert_allclose(wanted["position"][0, 0, 0], [(5 - 4) / 8, (6 - 4) / 8])
    np.testing.assert_allclose(wanted["boxes"][0], [[0, 1, 4, 5], [3, 4, 7, 8]])


def test_mirrored_boxes_are_mirrored_back() -> None:
    task = Detect(cell=4)
    # with no middle on the edge of a cell
    inside = np.where(PRESENT[..., None], BOXES + np.float32(0.5), 0)
    flipped = np.where(PRESENT[..., None], [24, 0, 24, 0] + inside[..., [2, 1, 0, 3]] * [-1, 1, -1, 1], 0)
    straight, mirror = (
        decode_outputs(task, build_true_outputs(task, LABELS | {"boxes": on})) for on in (inside, flipped)
    )
    np.testing.assert_allclose(task.unmirror_predictions(mirror, 24), straight, atol=1e-4)
    odd = Examples(np.zeros((2, 16, 22, 3), np.uint8), EMPTY, EMPTY, EMPTY, LABELS, ("adult", "child"))
    assert task.find_data_faults(odd) == []
    assert "22 is not one of 4" in task.model_copy(update={"mirror": True}).find_data_faults(odd)[0]


OTHERS = [Detect(cell=4, classes=False), Detect(cell=2, overlap=1.0)]


@pytest.mark.parametrize("task", [Detect(cell=2), *(pytest.param(task, marks=pytest.mark.slow) for task in OTHERS)])
def test_true_outputs_give_truth(task: Detect) -> None:
    outputs = build_true_outputs(task)
    assert outputs.shape[1:] == task.output_shape(SPEC)
    for name, term in build_loss_terms(task, outputs, build_targets(task)).items():
        if name in ("position", "size"):
            np.testing.assert_allclose(term.prediction * term.weight, term.truth * term.weight, atol=1e-6)
    columns = task.build_object_columns(decode_outputs(task, outputs), EXAMPLES.classes)
    assert columns is not None
    assert sorted(columns["example"].tolist()) == [0, 0, 1, 1, 1]
    corners = {tuple(np.round([columns[side][i] for side in ("x0", "y0", "x1", "y1")], 3)) for i in range(5)}
    assert corners == {tuple(map(float, box)) for box in BOXES[PRESENT]}
    measured = compute_metrics(task, decode_outputs(task, outputs), build_targets(task))
    assert {name: round(float(value), 5) for name, value in measured.items()} == {
        "ap50": 1, "ap": 1, "precision": 1, "recall": 1, "mae": 0, "bias": 0
    }  # fmt: skip
    assert task.compute_errors(decode_outputs(task, outputs), EXAMPLES).tolist() == [0, 0]
    assert task.build_prediction_columns(decode_outputs(task, outputs), EXAMPLES.classes)["prediction"].tolist() == [
        2,
        3,
    ]


def test_wrong_class_costs_twice() -> None:
    task = Detect(cell=2)
    wrong = decode_outputs(task, build_true_outputs(task, LABELS | {"kinds": 1 - KINDS}))
    measured = compute_metrics(task, wrong, build_targets(task))
    assert {name: float(measured[name]) for name in ("ap50", "precision", "recall", "mae")} == {
        "ap50": 0, "precision": 0, "recall": 0, "mae": 0
    }  # fmt: skip
    assert task.compute_errors(wrong, EXAMPLES).tolist() == [4, 6]
    assert Detect(cell=2, classes=False).compute_errors(wrong[..., :5], EXAMPLES).tolist() == [0, 0]


def test_untrained_outputs_are_finite() -> None:
    task = Detect()
    cells = decode_outputs(task, np.zeros((1, *task.output_shape(SPEC))))
    assert float(cells[..., 0].max()) < 0.05
    far = decode_outputs(task, np.full((1, *task.output_shape(SPEC)), 1e6))
    assert np.isfinite(far).all()


def test_terms_use_their_cells() -> None:
    task = Detect()
    looked = build_loss_terms(task, np.zeros((2, *task.output_shape(SPEC))), build_targets(task))
    held = np.asarray(build_targets(task)["held"])
    np.testing.assert_array_equal(looked["missed"].weight, held)
    np.testing.assert_array_equal(looked["false_alarms"].weight, 1 - held)
    assert looked["missed"].truth.min() == 1
    assert looked["false_alarms"].truth.max() == 0
    assert list(Detect(side=5.0, classes=False).loss_families) == ["missed", "false_alarms", "position"]


@pytest.mark.slow
def test_reference_is_usual_objects() -> None:
    """Two images of which one has an object in a cell: half as sure, the box as it is."""
    task = Detect(cell=8)
    usual = task.compute_references(EXAMPLES, np.zeros((3, *SPEC.image_shape), np.float32))[
        "the average object of each cell"
    ]
    assert usual.shape == (3, *decode_outputs(task, np.zeros((1, *task.output_shape(SPEC)))).shape[1:])
    np.testing.assert_allclose(usual[0, 0, 1, :5] / usual[0, 0, 1, 0], [1, 9, 0, 21, 12], atol=1e-4)
    np.testing.assert_allclose(usual[0, 0, :, 0], [1, 0.5, 0], atol=1e-4)


def test_missing_labels_suggest_settings() -> None:
    bare = Examples(EXAMPLES.images, EMPTY, EMPTY, EMPTY, {"points": BOXES[..., :2], "present": PRESENT})
    assert Detect().find_data_faults(bare) == [
        "the data has no `boxes` (if it has points, set task.side)",
        "the data has no `kinds` (no object has a class; set task.classes: false)",
    ]
    assert Detect(side=4.0, classes=False).find_data_faults(bare) == []
    nobody = Examples(EXAMPLES.images, EMPTY, EMPTY, EMPTY, LABELS | {"present": np.zeros_like(PRESENT)})
    unnamed = Examples(EXAMPLES.images, EMPTY, EMPTY, EMPTY, {k: v for k, v in nobody.labels.items() if k != "kinds"})
    assert Detect().find_data_faults(nobody) == Detect().find_data_faults(unnamed) == ["no image contains an object"]


def test_grid_overflow_is_reported() -> None:
    assert Detect(cell=2).find_data_warnings(EXAMPLES) == []
    crowded, few = Detect(cell=16, most=2).find_data_warnings(EXAMPLES)
    assert crowded.startswith(
        "2 of 5 objects cannot be found, because each has its centre in the same cell of 16 x 16 pixels"
    )
    assert few == "an image has up to 3 objects, but at most 2 can be found: raise task.most"


def test_scene_people_rarely_share_cells() -> None:
    examples = Scenes(examples=40, size=(48, 48), people=(0, 8), places=4).read_examples(None, 1).examples  # type: ignore[arg-type]
    task = Detect(cell=2)
    spec = DataSpec((48, 48, 3), 2)
    held = build_targets(task, examples.labels, spec)["held"].sum((1, 2))
    assert (held <= examples.labels["count"]).all()
    assert held.sum() > 0.98 * examples.labels["count"].sum()


def test_true_boxes_are_solid_found_dashed() -> None:
    image = np.full((24, 32, 1), 0.5, np.float32)
    true, predicted = np.array([[4, 4, 12, 20]], np.float32), np.array([[16, 4, 28, 20]], np.float32)
    picture = draw_boxes.draw_true_and_found(image, true, predicted)
    assert picture.shape == (24 * 9, 32 * 9, 3)
    solid, dashed = ((picture == colour).all(-1) for colour in (draw_boxes.TRUE_COLOUR, draw_boxes.FOUND_COLOUR))
    assert solid[4 * 9 + 20, [4 * 9 - 1, 4 * 9, 12 * 9 - 1, 12 * 9]].all()
    along = dashed[4 * 9 : 20 * 9, 16 * 9]
    assert 0.4 < along.mean() < 0.8
    assert not (solid & dashed).any()
    assert (picture[30, 5] == 128).all()


def test_pictures_show_detections() -> None:
    task = Detect(cell=2)
    sure = np.asarray(decode_outputs(task, build_true_outputs(task)))
    inputs = np.zeros((2, *SPEC.image_shape), np.float32)
    detected, nothing = task.draw_pictures(EXAMPLES, inputs, sure), task.draw_pictures(EXAMPLES, inputs, 0 * sure)
    for one, other in zip(detected, nothing, strict=True):
        assert (one == draw_boxes.FOUND_COLOUR).all(-1).any()
        assert not (other == draw_boxes.FOUND_COLOUR).all(-1).any()
