"""Drawn scenes of people in streets, squares and parks, with exactly known labels."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, Strict, field_validator

from thalweg.data.examples import DataSource, Examples, Labels, ReadResult, build_blank_labels
from thalweg.data.sources.scenes.layout import arrange_scene
from thalweg.data.sources.scenes.place import build_place
from thalweg.data.sources.scenes.scene import Scene, VisiblePerson, paint_scene
from thalweg.system import progress, runtime
from thalweg.system.parallel import map_in_processes

Pixels = Annotated[int, Field(ge=24, le=512)]
ObjectCount = Annotated[int, Field(ge=0, le=30)]
MANY_SCENES = 400  # that take longer to draw than other processes take to start
PART_SCENES = 32  # drawn by a process at once
LABEL_NAMES = ("count", "points", "boxes", "kinds", "present")


_build_place = lru_cache(maxsize=8)(build_place)  # scenes are drawn place by place


class Scenes(DataSource):
    """People among street furniture, drawn in perspective: adults and children who stand, walk, wave and carry bags.

    A group is a place: its camera, ground, buildings and the direction of its light. Weather, people and objects differ
    between scenes. Scene i of a seed does not depend on the number of scenes.
    """

    kind: Literal["scenes"] = "scenes"
    examples: int = Field(2400, ge=1, le=100_000, description="number of images")
    size: Annotated[tuple[Pixels, Pixels], Strict(False)] = Field((48, 48), description="height and width in pixels")
    people: Annotated[tuple[ObjectCount, ObjectCount], Strict(False)] = Field(
        (0, 10), description="fewest and most people in an image"
    )
    children: float = Field(0.3, ge=0, le=1, description="share of people who are children")
    clutter: Annotated[tuple[ObjectCount, ObjectCount], Strict(False)] = Field(
        (1, 5), description="fewest and most other objects in an image"
    )
    places: int = Field(20, ge=1, le=1000, description="number of places that the scenes are spread over")

    @field_validator("people", "clutter")
    @classmethod
    def _check_order(cls, value: tuple[int, int]) -> tuple[int, int]:
        fewest, most = value
        if fewest > most:
            raise ValueError(f"the fewest ({fewest}) must not be above the most ({most})")
        return value

    @classmethod
    def write_example(cls, folder: Path) -> Self:  # noqa: ARG003
        return cls(examples=12, size=(24, 32), people=(0, 4), places=3)

    def read_examples(self, path: Path, seed: int) -> ReadResult:
        """Draw every scene in memory; `path` is not used."""
        outline = self.build_outline(path, seed)
        images = np.empty(outline.images.shape, np.uint8)
        visible: list[list[VisiblePerson]] = [[]] * self.examples
        by_place = np.argsort(outline.groups, kind="stable")  # a process builds few places
        parts = [by_place[start : start + PART_SCENES].tolist() for start in range(0, self.examples, PART_SCENES)]
        map_parts = map_in_processes if self.examples >= MANY_SCENES and runtime.count_cores() > 1 else map
        painted_parts = map_parts(partial(paint_scenes, self, seed), parts)
        shown_parts = progress.track(painted_parts, "drawing", self.examples, "scene", size=len)
        for indices, painted in zip(parts, shown_parts, strict=True):
            for index, (image, people) in zip(indices, painted, strict=True):
                images[index], visible[index] = image, people
        return ReadResult(replace(outline, images=images, labels=build_labels(visible)))

    def read_sample(self, path: Path, seed: int, count: int) -> int:
        few = min(count, self.examples)
        sample = self.model_copy(update={"examples": few, "places": max(1, self.places * few // self.examples)})
        return len(sample.read_examples(path, seed).examples)

    def build_outline(self, path: Path, seed: int) -> Examples:  # noqa: ARG002
        return Examples(
            images=np.broadcast_to(np.uint8(0), (self.examples, *self.size, 3)),
            names=np.array([f"scene-{index:05d}" for index in range(self.examples)]),
            groups=np.array(
                [f"place-{choose_place(seed, index, self.places)[0]:02d}" for index in range(self.examples)]
            ),
            split=np.full(self.examples, ""),
            labels=build_blank_labels(LABEL_NAMES, self.examples),
            classes=("adult", "child"),
        )


def paint_scenes(
    options: Scenes, seed: int, indices: Sequence[int]
) -> list[tuple[NDArray[np.uint8], list[VisiblePerson]]]:
    """Paint scenes of `seed` by index: the image of each, and its people from the farthest to the nearest."""
    return [paint_scene(compose_scene(options, seed, index)) for index in indices]


def choose_place(seed: int, index: int, place_count: int) -> tuple[int, np.random.Generator]:
    """Draw the place of scene `index` of `seed`, of `place_count`; return its number and the generator for the rest."""
    rng = np.random.default_rng((seed, 1, index))
    return int(rng.integers(place_count)), rng


def compose_scene(options: Scenes, seed: int, index: int) -> Scene:
    """Compose scene `index` of `seed`: place, weather, objects and people."""
    number, rng = choose_place(seed, index, options.places)
    place = _build_place(seed, number, options.size)
    pan = int(rng.integers(place.backdrop.width - place.size[0] + 1))
    u = rng.random(3).tolist()
    if u[0] < 0.5:  # a clear day
        tint, darkness, shadow_length = (1.02, 1.0, 0.96), 0.45, 0.4 + 0.5 * u[1]
    elif u[0] < 0.8:  # overcast
        tint, darkness, shadow_length = (0.84, 0.89, 0.93), 0.28, 0.12
    else:  # dusk
        tint, darkness, shadow_length = (0.78, 0.67, 0.7), 0.35, 0.9 + 0.5 * u[1]
    light_tint = tuple(channel * (0.85 + 0.25 * u[2]) for channel in tint)
    light = place.light[0] * shadow_length, place.light[1] * shadow_length
    grain = int(rng.integers(1, 9))
    noise = rng.integers(-grain, grain + 1, (*options.size, 3), dtype=np.int16)
    camera = replace(place.camera, centre=place.camera.centre - pan)
    objects, people = arrange_scene(place, camera, rng, options.clutter, options.people, options.children)
    return Scene(place, camera, pan, light_tint, darkness, light, noise, objects, people)


def build_labels(visible: Sequence[Sequence[VisiblePerson]]) -> Labels:
    """Return the labels of all images, padded to the most people in any of them."""
    shape = len(visible), max(map(len, visible))
    points, boxes = np.zeros((*shape, 2), np.float32), np.zeros((*shape, 4), np.float32)
    kinds, present = np.zeros(shape, np.int32), np.zeros(shape, bool)
    for row, people in enumerate(visible):
        for slot, person in enumerate(people):
            points[row, slot], boxes[row, slot] = person.head, person.box
            kinds[row, slot], present[row, slot] = person.child, True
    count = present.sum(1).astype(np.float32)
    return dict(zip(LABEL_NAMES, (count, points, boxes, kinds, present), strict=True))
