"""Boxes on the device: how far they overlap, which of many are kept, which find an object, and how good that is.

A box is x0, y0, x1, y1 in pixels. Everything is pure JAX with lengths that are fixed: what is not there has a
confidence of 0, or is not present.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

RECALL_LEVELS = np.linspace(0.0, 1.0, 101)
"""Of recall, at which `average_precision` reads precision."""
IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""From which on a box has found an object, in the average over overlaps."""


class Detections(NamedTuple):
    """Found in N images, M in each: `boxes` [N, M, 4], `confidence` [N, M] (0: nothing there), `kinds` int [N, M]."""

    boxes: Array
    confidence: Array
    class_ids: Array


class GroundTruth(NamedTuple):
    """To be found in N images, P at most: `boxes` [N, P, 4], `kinds` int [N, P], `present` bool [N, P]."""

    boxes: Array
    class_ids: Array
    present: Array


def iou(first: Array, second: Array) -> Array:
    """What two boxes share of what they cover together, 0 to 1: [..., A, 4], [..., B, 4] -> [..., A, B]."""
    a, b = first[..., :, None, :], second[..., None, :, :]
    shared = _box_area(jnp.maximum(a[..., :2], b[..., :2]), jnp.minimum(a[..., 2:], b[..., 2:]))
    covered = _box_area(a[..., :2], a[..., 2:]) + _box_area(b[..., :2], b[..., 2:]) - shared
    return shared / jnp.maximum(covered, 1e-9)


def _box_area(low: Array, high: Array) -> Array:
    side = jnp.maximum(high - low, 0.0)
    return side[..., 0] * side[..., 1]


def decode_cells(cells: Array, max_detections: int, iou_threshold: float) -> Detections:
    """Of cells [N, C, 5 + K], the `max_detections` confident, without those that lie on a more confident one.

    A cell is its confidence, then its box and its K classes' probabilities, each times the confidence: so the mean over
    networks of cells is the mean over networks of boxes, each counted by how sure its network is.
    """
    confidence, places = jax.lax.top_k(cells[..., 0], min(max_detections, cells.shape[1]))
    chosen = jnp.take_along_axis(cells, places[..., None], 1) / jnp.maximum(confidence, 1e-12)[..., None]
    kinds = chosen[..., 5:].argmax(-1) if cells.shape[-1] > 5 else jnp.zeros(places.shape, jnp.int32)
    kept = non_max_suppression(chosen[..., 1:5], iou_threshold)
    return Detections(chosen[..., 1:5], jnp.where(kept, confidence, 0.0), kinds.astype(jnp.int32))


def non_max_suppression(boxes: Array, iou_threshold: float) -> Array:
    """Which of boxes [N, M, 4], the best first, are kept: bool [N, M].

    One goes where it shares more than `iou_threshold` (of both, `iou`) with one that is kept before it, whatever their kinds.
    """
    over = iou(boxes, boxes) > iou_threshold
    places = jnp.arange(boxes.shape[1])

    def judged(place: Array, kept: Array) -> Array:
        beaten = (kept & over[:, place] & (places < place)).any(-1)
        return kept & ~(beaten[:, None] & (places == place))

    kept: Array = jax.lax.fori_loop(1, boxes.shape[1], judged, jnp.ones(boxes.shape[:2], bool))
    return kept


def match_detections(detections: Detections, truth: GroundTruth, iou_thresholds: Array) -> Array:
    """Which of what was found is right, for each of the least overlaps [T] that are asked for: bool [T, N, M].

    As COCO matches (Lin et al., "Microsoft COCO: Common objects in context", 2014): the most confident first, which
    `detections` is in order of, each takes of the objects of its kind that are left the one that it overlaps most. An object
    that is found twice is found once, and the second box is wrong.
    """
    possible = truth.present[:, None, :] & (detections.class_ids[..., None] == truth.class_ids[:, None, :])
    shared = jnp.where(possible & (detections.confidence > 0)[..., None], iou(detections.boxes, truth.boxes), 0.0)
    objects = jnp.arange(truth.present.shape[1])

    def one(left: Array, shared: Array) -> tuple[Array, Array]:
        able = jnp.where(left & (shared >= iou_thresholds[:, None, None]), shared, 0.0)
        hit = able.max(-1) > 0
        return left & ~(hit[..., None] & (objects == able.argmax(-1)[..., None])), hit

    left = jnp.ones((len(iou_thresholds), *truth.present.shape), bool)
    right: Array = jnp.moveaxis(jax.lax.scan(one, left, jnp.swapaxes(shared, 0, 1))[1], 0, -1)
    return right


def average_precision(
    detections: Detections, matches: Array, truth: GroundTruth, class_count: int, weights: Array
) -> Array:
    """Mean over `class_count` of the area below precision against recall, for each row of `matches` [T, N, M]: [T].

    Of images that count `weights` [N] times. At each of the `LEVELS` of recall, the best precision with at least that
    recall, 0 where it is not reached, as COCO reads it. A kind that is not there counts for nothing; where none is, 0.
    """
    order = jnp.argsort(-detections.confidence.ravel(), stable=True)
    counted = jnp.where(detections.confidence > 0, weights[:, None], 0.0).ravel()[order]
    kind_of, matches = detections.class_ids.ravel()[order], matches.reshape(len(matches), -1)[:, order]
    # a recall of exactly a level has reached it, however both are rounded
    levels = jnp.asarray(RECALL_LEVELS, jnp.float32) - 1e-6

    def of_kind(kind: Array) -> tuple[Array, Array]:
        own = jnp.where(kind_of == kind, counted, 0.0)
        total = (weights[:, None] * (truth.present & (truth.class_ids == kind))).sum()
        said = jnp.maximum(jnp.cumsum(own), 1e-9)

        def area(right: Array) -> Array:
            known = jnp.cumsum(own * right)
            best = jax.lax.cummax(known / said, reverse=True)
            place = jnp.searchsorted(known / jnp.maximum(total, 1e-9), levels)
            return jnp.where(place < len(best), best[jnp.minimum(place, len(best) - 1)], 0.0).mean()

        return jax.vmap(area)(matches), total > 0

    areas, there = jax.lax.map(of_kind, jnp.arange(class_count))
    mean: Array = jnp.where(there[:, None], areas, 0.0).sum(0) / jnp.maximum(there.sum(), 1)
    return mean


def precision(detections: Detections, matches: Array, weight: Array, threshold: float) -> Array:
    """The share of what was found with a confidence from `threshold` on that is `matches` [N, M]; of nothing, 0."""
    said = jnp.where(detections.confidence >= threshold, weight[:, None], 0.0)
    share: Array = (said * matches).sum() / jnp.maximum(said.sum(), 1e-9)
    return share


def recall(detections: Detections, matches: Array, truth: GroundTruth, weight: Array, threshold: float) -> Array:
    """The share of objects that something `matches` [N, M] of a confidence from `threshold` on found; of none, 0."""
    known = jnp.where(detections.confidence >= threshold, weight[:, None], 0.0) * matches
    share: Array = known.sum() / jnp.maximum((weight[:, None] * truth.present).sum(), 1e-9)
    return share
