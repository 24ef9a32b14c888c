"""One scene: its place, its weather and all who are in it; its image, and what is true of the people there."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from thalweg.data.sources.scenes.canvas import Camera, Sketch
from thalweg.data.sources.scenes.layout import PlacedFurniture
from thalweg.data.sources.scenes.people import Person, draw_person
from thalweg.data.sources.scenes.place import WALL_OFFSET_METRES, Place


@dataclass(frozen=True)
class Scene:
    """All that is in a picture.

    `camera` is the place's, turned; `pan` is the first column of the backdrop that it shows; `tint` how bright red,
    green and blue are; `shade` how dark shadows are, 0 to 1; `light` how far they fall for each metre of height;
    `noise` is added to the image [H, W, 3] at the end.
    """

    place: Place
    camera: Camera
    pan: int
    tint: tuple[float, ...]
    shadow_darkness: float
    light: tuple[float, float]
    noise: NDArray[np.int16]
    objects: tuple[PlacedFurniture, ...]
    people: tuple[Person, ...]


class VisiblePerson(NamedTuple):
    """A person in an image: head x, y; box x0, y0, x1, y1 of all of the body that is inside the frame."""

    child: bool
    head: tuple[float, float]
    box: tuple[float, float, float, float]


def paint_scene(scene: Scene) -> tuple[NDArray[np.uint8], list[VisiblePerson]]:
    """The image [H, W, 3], and its people from the farthest to the nearest."""
    place, camera = scene.place, scene.camera
    (width, height), fine = place.size, place.supersampling
    everyone: list[PlacedFurniture | Person] = [*scene.objects, *scene.people]
    behind_first = sorted(everyone, key=lambda who: -who.z)
    ground = place.backdrop.crop((scene.pan, 0, scene.pan + width, height))

    shadows = Image.new("L", place.size)
    pen = ImageDraw.Draw(shadows)
    for who in behind_first:
        draw_subject(Sketch(camera, scene.light), who).draw_shapes(pen, 255)
    pen.rectangle(
        (0, 0, width, round(camera.horizon + camera.height * camera.focal / (place.far + WALL_OFFSET_METRES))), 0
    )
    dark = ground.point([round(value * (1 - scene.shadow_darkness)) for value in range(256)] * 3)
    picture = Image.composite(dark, ground, shadows)

    pen, seen = ImageDraw.Draw(picture), []
    for who in behind_first:
        sketch = draw_subject(Sketch(camera), who)
        sketch.draw_shapes(pen)
        if isinstance(who, Person):
            (x, y, _), (x0, y0, x1, y1) = sketch.project_point(who.head_centre), sketch.bounding_box()
            box = max(x0, 0) / fine, max(y0, 0) / fine, min(x1, width) / fine, min(y1, height) / fine
            seen.append(VisiblePerson(who.child, (x / fine, y / fine), box))
    pixels = np.asarray(picture.reduce(fine)) * np.array(scene.tint, np.float32)
    return np.clip(np.rint(pixels) + scene.noise, 0, 255).astype(np.uint8), seen


def draw_subject(sketch: Sketch, subject: PlacedFurniture | Person) -> Sketch:
    if isinstance(subject, Person):
        draw_person(sketch, subject)
    else:
        subject.furniture.draw(sketch, subject.x, subject.z, subject.tone)
    return sketch
