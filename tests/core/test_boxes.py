"""Boxes by hand, and average precision beside pycocotools' on the same boxes."""

import contextlib
import io
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import cocoeval
from pycocotools.coco import COCO

from tests.helpers.fast_jit import compile_fast
from thalweg.core import boxes
from thalweg.core.boxes import Detections, GroundTruth

HALF = np.array([0.5])
Rows = list[list[tuple[float, ...]]]
"""Of each image its boxes."""


def draw_detections(*images: Any, row_count: int = 0) -> Detections:
    """Of each image its detections (x0, y0, x1, y1, confidence, kind), the most confident first, padded to the most."""
    row_count = max(1, row_count, *map(len, images))
    rows: Any = np.array([[*map(list, image), *[[0.0] * 6] * (row_count - len(image))] for image in images], np.float32)
    return Detections(rows[..., :4], rows[..., 4], rows[..., 5].astype(np.int32))


def draw_objects(*images: Any, row_count: int = 0) -> GroundTruth:
    """Of each image its objects (x0, y0, x1, y1, kind)."""
    row_count = max(1, row_count, *map(len, images))
    rows: Any = np.array([[*map(list, image), *[[0.0] * 5] * (row_count - len(image))] for image in images], np.float32)
    there: Any = np.array([np.arange(row_count) < len(image) for image in images])
    return GroundTruth(rows[..., :4], rows[..., 4].astype(np.int32), there)


decode = compile_fast(boxes.decode_cells, static_argnums=(1, 2))
iou = compile_fast(boxes.iou)
suppress = compile_fast(boxes.non_max_suppression)
hits = compile_fast(boxes.match_detections)
precision = compile_fast(boxes.precision)
recall = compile_fast(boxes.recall)


def compute_average_precision(
    detections: Detections, truth: GroundTruth, kinds: int, overlaps: Any, weight: Any
) -> jax.Array:
    return boxes.average_precision(
        detections, boxes.match_detections(detections, truth, overlaps), truth, kinds, weight
    )


areas = compile_fast(compute_average_precision, static_argnums=2)


def compute_precision_at_half(detections: Detections, truth: GroundTruth, kinds: int = 1, weight: Any = None) -> float:
    weight = np.ones(len(detections.boxes), np.float32) if weight is None else np.asarray(weight, np.float32)
    return float(areas(detections, truth, kinds, HALF, weight)[0])


def test_iou_by_hand() -> None:
    first = np.array([[0.0, 0, 4, 2]])
    second = np.array([[0.0, 0, 4, 2], [2, 0, 6, 2], [0, 0, 2, 1], [4, 0, 8, 2], [9, 9, 10, 10], [3, 1, 3, 1]])
    np.testing.assert_allclose(iou(first, second)[0], [1, 1 / 3, 1 / 4, 0, 0, 0], rtol=1e-6)


def test_empty_boxes_have_finite_iou() -> None:
    assert iou(np.zeros((1, 4)), np.zeros((1, 4))) == 0


def test_suppression_by_hand() -> None:
    row = np.array(
        [[[0.0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10], [30, 0, 40, 10]]]
    )  # each shares 3/7 with the next
    np.testing.assert_array_equal(suppress(row, 0.4), [[True, False, True, True]])
    np.testing.assert_array_equal(suppress(row, 0.45), [[True, True, True, True]])


def draw_boxes(draw: np.random.Generator, *shape: int) -> np.ndarray:
    corner = draw.uniform(0, 40, (*shape, 2))
    return np.concatenate([corner, corner + draw.uniform(2, 20, (*shape, 2))], -1).astype(np.float32)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.floats(0.0, 1.0))
def test_kept_boxes_overlap_little(seed: int, overlap: float) -> None:
    some = draw_boxes(np.random.default_rng(seed), 2, 12)
    kept = np.asarray(suppress(np.asarray(some), overlap))
    over = np.asarray(iou(some, some)) > np.float32(overlap)
    earlier = np.tril(np.ones((12, 12), bool), -1)
    beaten = (over & earlier & kept[:, None, :]).any(-1)
    np.testing.assert_array_equal(kept, ~beaten)
    assert kept[:, 0].all()


def test_decode_sorts_by_confidence() -> None:
    box = np.array([[0, 0, 4, 4], [20, 0, 24, 4], [1, 0, 5, 4], [0, 20, 4, 24]], np.float32)
    sure, likely = np.array([0.5, 0.75, 0.25, 0.0]), np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.5, 0.5]])
    cells = np.concatenate([sure[:, None], sure[:, None] * np.concatenate([box, likely], -1)], -1)[None]
    got = decode(np.asarray(cells, np.float32), 3, 0.5)
    np.testing.assert_allclose(got.boxes[0], box[[1, 0, 2]], rtol=1e-5)
    np.testing.assert_allclose(got.confidence[0], [0.75, 0.5, 0.0])  # the third lies on the second
    assert got.class_ids[0, :2].tolist() == [1, 0]
    assert decode(np.asarray(cells, np.float32), 99, 0.5).boxes.shape == (1, 4, 4)


def test_averaged_cells_by_confidence() -> None:
    def cell(sure: float, x0: float) -> np.ndarray:
        return np.array([[[sure, sure * x0, 0.0, sure * (x0 + 4), sure * 4]]])

    got = decode((cell(0.9, 10.0) + cell(0.1, 20.0)) / 2, 1, 0.5)
    assert got.confidence[0, 0] == pytest.approx(0.5)
    np.testing.assert_allclose(got.boxes[0, 0], [11, 0, 15, 4], rtol=1e-5)


def test_match_most_confident_of_class() -> None:
    detections = draw_detections(
        [(0, 0, 10, 10, 0.9, 0), (0, 0, 10, 10, 0.8, 0), (20, 0, 30, 10, 0.7, 1), (20, 0, 30, 10, 0.6, 0)]
    )
    truth = draw_objects([(0, 0, 10, 10, 0), (20, 0, 30, 10, 0)])
    assert hits(detections, truth, HALF)[0, 0].tolist() == [True, False, False, True]


def test_match_takes_largest_overlap() -> None:
    detections = draw_detections([(0, 0, 10, 10, 0.9, 0), (1, 0, 11, 10, 0.8, 0)])
    truth = draw_objects([(2, 0, 12, 10, 0), (0, 0, 10, 10, 0)])
    right = hits(detections, truth, np.array([0.5, 0.85, 0.99]))
    assert right[:, 0].tolist() == [[True, True], [True, False], [True, False]]


def test_padding_never_matches() -> None:
    detections, truth = draw_detections([(0, 0, 10, 10, 0.9, 0)], []), draw_objects([], [(0, 0, 10, 10, 0)])
    assert not hits(detections, truth, HALF).any()


def test_average_precision_by_hand() -> None:
    """Right, wrong, right of two objects: precision 1 up to a recall of half, 2/3 up to all."""
    truth = draw_objects([(0, 0, 10, 10, 0), (20, 0, 30, 10, 0)])
    detections = draw_detections([(0, 0, 10, 10, 0.9, 0), (50, 0, 60, 10, 0.8, 0), (20, 0, 30, 10, 0.7, 0)])
    assert compute_precision_at_half(detections, truth) == pytest.approx((51 * 1 + 50 * 2 / 3) / 101)
    first = Detections(*(part[:, :1] for part in detections))
    assert compute_precision_at_half(first, truth) == pytest.approx(51 / 101)
    assert compute_precision_at_half(draw_detections([]), truth) == 0
    assert compute_precision_at_half(detections, draw_objects([])) == 0


def test_precision_and_recall_by_hand() -> None:
    truth = draw_objects([(0, 0, 10, 10, 0), (20, 0, 30, 10, 0)], [])
    detections = draw_detections(
        [(0, 0, 10, 10, 0.9, 0), (50, 0, 60, 10, 0.8, 0), (20, 0, 30, 10, 0.4, 0)], [(0, 0, 9, 9, 0.5, 0)]
    )
    right, weight = hits(detections, truth, HALF)[0], np.ones(2)
    assert precision(detections, right, weight, 0.5) == pytest.approx(1 / 3)
    assert precision(detections, right, np.array([1.0, 3.0]), 0.5) == pytest.approx(1 / 5)
    assert recall(detections, right, truth, weight, 0.5) == pytest.approx(1 / 2)
    assert recall(detections, right, truth, weight, 0.3) == 1
    assert precision(detections, right, weight, 0.95) == 0
    nobody = draw_objects([], [])
    assert recall(detections, hits(detections, nobody, HALF)[0], nobody, weight, 0.5) == 0


def draw_scene(
    seed: int,
    images: int = 40,
    kinds: int = 3,
    moved: float = 2.0,
    objects: int = 6,
    detected_share: float = 0.8,
    false: int = 3,
) -> tuple[Rows, Rows]:
    """Draw detections and objects: most objects detected and moved a little, false alarms, no equal confidences."""
    draw = np.random.default_rng(seed)
    object_rows: Rows = []
    detection_rows: Rows = []
    for _ in range(images):
        number = int(draw.integers(objects + 1))
        own_boxes = draw_boxes(draw, number)
        kind = draw.integers(kinds, size=number)
        is_detected = draw.random(number) < detected_share
        near = own_boxes[is_detected] + draw.normal(0, moved, (int(is_detected.sum()), 4)).astype(np.float32)
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
        alarms = draw_boxes(draw, int(draw.integers(false + 1)))
        taken = np.concatenate([kind[is_detected], draw.integers(kinds, size=len(alarms))])
        sure = np.concatenate([draw.uniform(0.3, 1, len(near)), draw.uniform(0, 0.7, len(alarms))]).astype(np.float32)
        order = np.argsort(-sure)
        detected = np.column_stack([np.concatenate([near, alarms]), sure, taken])[order]
        object_rows.append([tuple(row) for row in np.column_stack([own_boxes, kind])])
        detection_rows.append([tuple(row) for row in detected])
    return detection_rows, drop_some_objects(object_rows, kinds)


def drop_some_objects(object_rows: Rows, kinds: int) -> Rows:
    """Without a few objects, so that no recall of a kind falls on a level but 0 and 1.

    There pycocotools compares two roundings of one number, so that its answer is one of two neighbours.
    """
    for kind in range(kinds):
        while np.gcd(sum(row[4] == kind for one in object_rows for row in one), 100) > 1:
            place = next(i for i, one in enumerate(object_rows) if any(row[4] == kind for row in one))
            object_rows[place].remove(next(row for row in object_rows[place] if row[4] == kind))
    return object_rows


def compute_coco_precision(detection_rows: Rows, object_rows: Rows, kinds: int) -> tuple[float, float]:
    """pycocotools' precision at an overlap of half, and averaged over overlaps."""

    def sides(row: tuple[float, ...]) -> dict[str, Any]:
        x0, y0, x1, y1 = map(float, row[:4])
        return {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0)}

    rows = [(image, row) for image, one in enumerate(object_rows) for row in one]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "info": {},
            "images": [{"id": image} for image in range(len(object_rows))],
            "categories": [{"id": kind} for kind in range(kinds)],
            "annotations": [
                {"id": place + 1, "image_id": image, "category_id": int(row[4]), "iscrowd": 0, **sides(row)}
                for place, (image, row) in enumerate(rows)
            ],
        }
        truth.createIndex()
        answers = [
            {"image_id": image, "category_id": int(row[5]), "score": float(row[4]), **sides(row)}
            for image, one in enumerate(detection_rows)
            for row in one
        ]
        judged = cocoeval.COCOeval(truth, truth.loadRes(answers), "bbox")
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    return judged.stats[1], judged.stats[0]


def compute_our_precision(detection_rows: Rows, object_rows: Rows, kinds: int) -> tuple[float, float]:
    detections, truth = draw_detections(*detection_rows, row_count=30), draw_objects(*object_rows, row_count=25)
    each = areas(detections, truth, kinds, np.asarray(boxes.IOU_THRESHOLDS, np.float32), np.ones(len(detection_rows)))
    return float(each[0]), float(each.mean())


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))])
@pytest.mark.parametrize(
    "scene",
    [
        {},
        {"kinds": 1, "moved": 1.0},
        {"objects": 25, "images": 15, "moved": 0.7},  # a crowd, in which boxes lie on each other
        {"detected_share": 0.0},
        {"false": 0, "moved": 0.2},
        {"kinds": 7, "images": 12},
    ],
    ids=["usual", "one kind", "crowd", "all false", "all right", "many kinds"],
)
def test_average_precision_of_pycocotools(seed: int, scene: dict[str, Any]) -> None:
    detection_rows, object_rows = draw_scene(seed, **scene)
    kinds = scene.get("kinds", 3)
    assert compute_our_precision(detection_rows, object_rows, kinds) == pytest.approx(
        compute_coco_precision(detection_rows, object_rows, kinds), abs=1e-5
    )


def test_absent_classes_are_ignored() -> None:
    detection_rows, object_rows = draw_scene(0, kinds=2)
    assert compute_our_precision(detection_rows, object_rows, 5) == pytest.approx(
        compute_coco_precision(detection_rows, object_rows, 5), abs=1e-5
    )


def test_image_weights_count_copies() -> None:
    detected, objects = draw_scene(3, images=6, kinds=2)
    twice = compute_precision_at_half(draw_detections(*detected, detected[1]), draw_objects(*objects, objects[1]), 2)
    assert compute_precision_at_half(
        draw_detections(*detected), draw_objects(*objects), 2, [1, 2, 1, 1, 1, 1]
    ) == pytest.approx(twice, abs=1e-6)
    without = compute_precision_at_half(draw_detections(*detected[:4]), draw_objects(*objects[:4]), 2)
    assert compute_precision_at_half(
        draw_detections(*detected), draw_objects(*objects), 2, [1, 1, 1, 1, 0, 0]
    ) == pytest.approx(without, abs=1e-6)


def test_compiled_and_batched_are_the_same() -> None:
    detection_rows, object_rows = draw_scene(4, images=6, kinds=2)
    detections, truth = draw_detections(*detection_rows), draw_objects(*object_rows)
    weights = np.asarray(np.random.default_rng(0).integers(0, 3, (4, 6)), np.float32)

    many = compile_fast(jax.vmap(compute_average_precision, (None, None, None, None, 0)), static_argnums=2)(
        detections, truth, 2, HALF, weights
    )[:, 0]
    np.testing.assert_allclose(many, [areas(detections, truth, 2, HALF, weight)[0] for weight in weights], rtol=1e-5)
