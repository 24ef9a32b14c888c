"""The positions of people and objects in a scene, chosen so that heads are visible."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import count, islice, starmap
from math import pi
from typing import NamedTuple, TypeVar

import numpy as np

from thalweg.data.sources.scenes.canvas import Camera, Colour, Sketch, Solids
from thalweg.data.sources.scenes.furniture import PAINT_COLOURS, Furniture
from thalweg.data.sources.scenes.people import Person, sample_person
from thalweg.data.sources.scenes.place import Place

PLACEMENT_TRIES = 30  # spots tried for a person or an object before the best of them is taken
MAX_HIDDEN_SHARE = 0.3  # of a head, behind a nearer person or object

Rect = tuple[float, float, float, float]


class PlacedFurniture(NamedTuple):
    """An object on the ground at (x, z), in its colour."""

    furniture: Furniture
    x: float
    z: float
    tone: Colour

    @property
    def solids(self) -> Solids:
        return self.furniture.solids


class Footprint(NamedTuple):
    """The ground at (x, z), `half_width` to each side, in metres; in pixels, the areas hidden and a person's head."""

    x: float
    z: float
    half_width: float
    hidden_areas: tuple[Rect, ...]
    head: Rect | None


def build_footprint(camera: Camera, subject: PlacedFurniture | Person) -> Footprint:
    sketch = Sketch(camera)

    def project_rect(half_width: float, low: float, high: float) -> Rect:
        x, y, scale = sketch.project_point((subject.x, high, subject.z))
        return x - half_width * scale, y, x + half_width * scale, y + (high - low) * scale

    head = (
        project_rect(subject.head_radius, subject.height - 2 * subject.head_radius, subject.height)
        if isinstance(subject, Person)
        else None
    )
    return Footprint(subject.x, subject.z, subject.solids[0][0], tuple(starmap(project_rect, subject.solids)), head)


def compute_occlusion(a: Footprint, b: Footprint) -> float:
    """Return the share of the farther one's head that the nearer one hides; 1 where they overlap on the ground."""
    if abs(a.x - b.x) < a.half_width + b.half_width and abs(a.z - b.z) < 0.5:
        return 1.0
    front, behind = (a, b) if a.z < b.z else (b, a)
    if behind.head is None:
        return 0.0
    x0, y0, x1, y1 = behind.head
    shared = [
        max(0.0, min(x1, right) - max(x0, left)) * max(0.0, min(y1, low) - max(y0, top))
        for left, top, right, low in front.hidden_areas
    ]
    return max(shared) / ((x1 - x0) * (y1 - y0))


Subject = TypeVar("Subject", PlacedFurniture, Person)


def arrange_scene(
    place: Place,
    camera: Camera,
    rng: np.random.Generator,
    clutter: tuple[int, int],
    people: tuple[int, int],
    children: float,
) -> tuple[tuple[PlacedFurniture, ...], tuple[Person, ...]]:
    """Place objects and people so that each head is hidden by at most `MAX_HIDDEN_SHARE`, if `PLACEMENT_TRIES` suffice.

    `clutter` and `people` are the fewest and the most of them, `children` is the share of people who are children.
    """
    footprints: list[Footprint] = []
    objects: list[PlacedFurniture] = []
    persons: list[Person] = []
    width = place.size[0]

    def draw_spot(near: float, far: float) -> tuple[float, float]:
        """Draw a spot on the ground, uniform over the rows and columns of the picture."""
        u, v = rng.random(2).tolist()
        z = 1 / ((1 - u) / near + u / far)
        return (width * (0.03 + 0.94 * v) - camera.centre) * z / camera.focal, z

    def draw_spot_beside(other: Person) -> tuple[float, float]:
        """Draw a spot next to a person, inside the image."""
        u, v = rng.random(2).tolist()
        z = min(max(other.z + 0.8 * u - 0.4, place.near), place.far)
        scale = camera.focal / z
        column = camera.centre + (other.x + (0.65 if v < 0.5 else -0.65)) * scale
        return (min(max(column, 0.03 * width), 0.97 * width) - camera.centre) / scale, z

    def place_best(candidates: Iterable[Subject]) -> Subject:
        """Take the first candidate that hides little enough, or the one that hides least; draw each only when tried."""
        tried: list[tuple[float, Subject, Footprint]] = []
        for candidate in islice(candidates, PLACEMENT_TRIES):
            footprint = build_footprint(camera, candidate)
            hidden = max((compute_occlusion(footprint, other) for other in footprints), default=0.0)
            tried.append((hidden, candidate, footprint))
            if hidden <= MAX_HIDDEN_SHARE:
                break
        _, candidate, footprint = min(tried, key=lambda item: item[0])
        footprints.append(footprint)
        return candidate

    for _ in range(rng.integers(clutter[0], clutter[1] + 1)):
        furniture = place.furniture[rng.integers(len(place.furniture))]
        tone = PAINT_COLOURS[rng.integers(len(PAINT_COLOURS))]
        near = place.near + furniture.min_depth_share * (place.far - place.near)
        objects.append(place_best(PlacedFurniture(furniture, *draw_spot(near, place.far + 0.8), tone) for _ in count()))
    for _ in range(rng.integers(people[0], people[1] + 1)):
        other = persons[rng.integers(len(persons))] if persons and rng.random() < 0.4 else None
        yaw = other.yaw if other else float(rng.uniform(-pi, pi))
        person = sample_person(rng, bool(rng.random() < children), yaw)
        spots = (
            draw_spot_beside(other) if other and rng.random() < 0.7 else draw_spot(place.near, place.far)
            for _ in count()
        )
        persons.append(place_best(replace(person, x=x, z=z) for x, z in spots))
    return tuple(objects), tuple(persons)
