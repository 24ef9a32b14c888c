"""Boxes on the device: overlap, non-maximum suppression, matching to objects, precision and recall.

A box is x0, y0, x1, y1 in pixels. All functions are pure JAX with fixed lengths: an empty entry has a confidence of 0,
or is not present.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

RECALL_LEVELS = np.linspace(0.0, 1.0, 101)  # at which `average_precision` reads precision, as COCO does
IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)  # least overlaps of a match that `ap` averages over, as COCO does


class Detections(NamedTuple):
    """Detections in N images, M in each: boxes [N, M, 4], confidence [N, M] (0: empty entry), class_ids int [N, M]."""

    boxes: Array
    confidence: Array
    class_ids: Array


class GroundTruth(NamedTuple):
    """Objects in N images, P at most in each: `boxes` [N, P, 4], `class_ids` int [N, P], `present` bool [N, P]."""

    boxes: Array
    class_ids: Array
    present: Array


def iou(first: Array, second: Array) -> Array:
    """Compute intersection over union, 0 to 1, of all pairs of boxes: [..., A, 4], [..., B, 4] -> [..., A, B]."""
    a, b = first[..., :, None, :], second[..., None, :, :]
    shared = _box_area(jnp.maximum(a[..., :2], b[..., :2]), jnp.minimum(a[..., 2:], b[..., 2:]))
    covered = _box_area(a[..., :2], a[..., 2:]) + _box_area(b[..., :2], b[..., 2:]) - shared
    return shared / jnp.maximum(covered, 1e-9)


def _box_area(low: Array, high: Array) -> Array:
    side = jnp.maximum(high - low, 0.0)
    return side[..., 0] * side[..., 1]


def decode_cells(cells: Array, max_detections: int, iou_threshold: float) -> Detections:
    """Return the `max_detections` most confident of cells [N, C, 5 + K], after non-maximum suppression.

    A cell holds its confidence, then its box and its K class probabilities, each times the confidence. So the mean of
    several networks' cells averages their boxes, weighted by each network's confidence.
    """
    confidence, indices = jax.lax.top_k(cells[..., 0], min(max_detections, cells.shape[1]))
    top = jnp.take_along_axis(cells, indices[..., None], 1) / jnp.maximum(confidence, 1e-12)[..., None]
    class_ids = top[..., 5:].argmax(-1) if cells.shape[-1] > 5 else jnp.zeros(indices.shape, jnp.int32)
    keep = non_max_suppression(top[..., 1:5], iou_threshold)
    return Detections(top[..., 1:5], jnp.where(keep, confidence, 0.0), class_ids.astype(jnp.int32))


def non_max_suppression(boxes: Array, iou_threshold: float) -> Array:
    """Say which of boxes [N, M, 4], the best first, to keep: bool [N, M].

    A box is dropped if its `iou` with an earlier kept box is more than `iou_threshold`, whatever their classes.
    """
    overlaps = iou(boxes, boxes) > iou_threshold
    ranks = jnp.arange(boxes.shape[1])

    def judge_box(rank: Array, keep: Array) -> Array:
        suppressed = (keep & overlaps[:, rank] & (ranks < rank)).any(-1)
        return keep & ~(suppressed[:, None] & (ranks == rank))

    keep: Array = jax.lax.fori_loop(1, boxes.shape[1], judge_box, jnp.ones(boxes.shape[:2], bool))
    return keep


def match_detections(detections: Detections, truth: GroundTruth, iou_thresholds: Array) -> Array:
    """Say which detections match an object, for each of `iou_thresholds` [T]: bool [T, N, M].

    As COCO matches (Lin et al., "Microsoft COCO: Common objects in context", 2014): `detections`, the most confident
    first, each take the object of their class with the largest overlap that no earlier one took. A second detection of
    an object is wrong.
    """
    possible = truth.present[:, None, :] & (detections.class_ids[..., None] == truth.class_ids[:, None, :])
    shared = jnp.where(possible & (detections.confidence > 0)[..., None], iou(detections.boxes, truth.boxes), 0.0)
    objects = jnp.arange(truth.present.shape[1])

    def match_next(unmatched: Array, shared: Array) -> tuple[Array, Array]:
        candidates = jnp.where(unmatched & (shared >= iou_thresholds[:, None, None]), shared, 0.0)
        hit = candidates.max(-1) > 0
        return unmatched & ~(hit[..., None] & (objects == candidates.argmax(-1)[..., None])), hit

    unmatched = jnp.ones((len(iou_thresholds), *truth.present.shape), bool)
    return jnp.moveaxis(jax.lax.scan(match_next, unmatched, jnp.swapaxes(shared, 0, 1))[1], 0, -1)


def average_precision(
    detections: Detections, matches: Array, truth: GroundTruth, class_count: int, weights: Array
) -> Array:
    """Compute the mean area below precision against recall over classes, for each row of `matches` [T, N, M]: [T].

    Each image counts `weights` [N] times. At each of `RECALL_LEVELS` it takes the best precision with at least that
    recall, 0 where none reaches it, as COCO does. Classes without objects do not count; without any class it is 0.
    """
    order = jnp.argsort(-detections.confidence.ravel(), stable=True)
    counted = jnp.where(detections.confidence > 0, weights[:, None], 0.0).ravel()[order]
    class_ids, matches = detections.class_ids.ravel()[order], matches.reshape(len(matches), -1)[:, order]
    # a recall of exactly a level reaches it, however both are rounded
    levels = jnp.asarray(RECALL_LEVELS, jnp.float32) - 1e-6

    def compute_areas(class_id: Array) -> tuple[Array, Array]:
        class_weight = jnp.where(class_ids == class_id, counted, 0.0)
        total = (weights[:, None] * (truth.present & (truth.class_ids == class_id))).sum()
        predicted = jnp.maximum(jnp.cumsum(class_weight), 1e-9)

        def compute_area(match: Array) -> Array:
            true_positives = jnp.cumsum(class_weight * match)
            best = jax.lax.cummax(true_positives / predicted, reverse=True)
            index = jnp.searchsorted(true_positives / jnp.maximum(total, 1e-9), levels)
            return jnp.where(index < len(best), best[jnp.minimum(index, len(best) - 1)], 0.0).mean()

        return jax.vmap(compute_area)(matches), total > 0

    areas, has_objects = jax.lax.map(compute_areas, jnp.arange(class_count))
    return jnp.where(has_objects[:, None], areas, 0.0).sum(0) / jnp.maximum(has_objects.sum(), 1)


def precision(detections: Detections, matches: Array, weight: Array, threshold: float) -> Array:
    """Compute the share of detections of at least `threshold` confidence that are `matches` [N, M]; 0 for none."""
    predicted = jnp.where(detections.confidence >= threshold, weight[:, None], 0.0)
    return (predicted * matches).sum() / jnp.maximum(predicted.sum(), 1e-9)


def recall(detections: Detections, matches: Array, truth: GroundTruth, weight: Array, threshold: float) -> Array:
    """Compute the share of objects found by `matches` [N, M] of at least `threshold` confidence; 0 for no objects."""
    true_positives = jnp.where(detections.confidence >= threshold, weight[:, None], 0.0) * matches
    return true_positives.sum() / jnp.maximum((weight[:, None] * truth.present).sum(), 1e-9)
