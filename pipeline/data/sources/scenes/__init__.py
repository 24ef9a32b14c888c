"""Drawn scenes of people in streets, squares and parks, whose truth is known exactly."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, Strict, model_validator

from thalweg.data.examples import Examples, Labels, Reading, Source
from thalweg.data.sources.scenes.painting import Seen, paint
from thalweg.data.sources.scenes.place import find_place, name_of
from thalweg.data.sources.scenes.scene import begin, compose

Pixels = Annotated[int, Field(ge=24, le=512)]
Few = Annotated[int, Field(ge=0, le=30)]
LABELS = ("count", "points", "boxes", "kinds", "present")


class Scenes(Source):
    """People among street furniture, drawn in perspective: adults and children who stand, walk, wave and carry bags.

    A group is a place: its camera, ground, buildings and the direction of its light. Weather, people and objects differ
    from scene to scene. Scene i of a seed is the same however many are drawn.
    """

    kind: Literal["scenes"] = "scenes"
    examples: int = Field(2400, ge=1, le=100_000, description="how many images")
    size: Annotated[tuple[Pixels, Pixels], Strict(False)] = Field((48, 48), description="height and width in pixels")
    people: Annotated[tuple[Few, Few], Strict(False)] = Field((0, 10), description="fewest and most people in an image")
    children: float = Field(0.3, ge=0, le=1, description="the share of people who are children")
    clutter: Annotated[tuple[Few, Few], Strict(False)] = Field(
        (1, 5), description="fewest and most objects beside them"
    )
    places: int = Field(20, ge=1, le=100, description="how many places the scenes are spread over")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for name in ("people", "clutter"):
            fewest, most = getattr(self, name)
            if fewest > most:
                raise ValueError(f"{name}: the fewest ({fewest}) come first, then the most ({most})")
        return self

    @classmethod
    def example(cls, folder: Path) -> Self:  # noqa: ARG003
        return cls(examples=12, size=(24, 32), people=(0, 4), places=3)

    def read(self, path: Path, seed: int) -> Reading:  # noqa: ARG002
        """Draws every scene in memory; `path` is not looked at."""
        outline = self.outline(seed)
        places = [find_place(seed, number, self.size) for number in range(self.places)]
        scenes = [compose(self, places, seed, index) for index in range(self.examples)]
        drawn = [paint(scene) for scene in scenes]
        images = np.stack([pixels for pixels, _ in drawn])
        return Reading(replace(outline, images=images, labels=labels([seen for _, seen in drawn])))

    def outline(self, seed: int) -> Examples:
        return Examples(
            images=np.broadcast_to(np.uint8(0), (self.examples, *self.size, 3)),
            names=np.array([f"scene-{index:05d}" for index in range(self.examples)]),
            groups=np.array([name_of(begin(seed, index, self.places)[0]) for index in range(self.examples)]),
            split=np.full(self.examples, ""),
            labels=dict.fromkeys(LABELS, np.ones(self.examples)),
            classes=("adult", "child"),
        )


def labels(seen: Sequence[Sequence[Seen]]) -> Labels:
    """What is known of each image, padded to the most people in any of them."""
    shape = len(seen), max(map(len, seen))
    points, boxes = np.zeros((*shape, 2), np.float32), np.zeros((*shape, 4), np.float32)
    kinds, present = np.zeros(shape, np.int32), np.zeros(shape, bool)
    for row, people in enumerate(seen):
        for slot, who in enumerate(people):
            points[row, slot], boxes[row, slot] = who.head, who.box
            kinds[row, slot], present[row, slot] = who.child, True
    count = present.sum(1).astype(np.float32)
    return dict(zip(LABELS, (count, points, boxes, kinds, present), strict=True))
