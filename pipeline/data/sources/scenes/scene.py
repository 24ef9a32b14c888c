"""A scene: its place, weather, objects and people; its image, and the labels of the visible people."""

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
    """Everything in a picture.

    `camera` is the place's, turned; `pan` is the first column of the backdrop that shows; `tint` is the brightness of
    red, green and blue; `shadow_darkness` is 0 to 1; `light` is the shift of a shadow for each metre of height; `noise`
    is added to the image [H, W, 3] at the end.
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
    """A person in an image: head x, y; box x0, y0, x1, y1 of the part of the body inside the image."""

    child: bool
    head: tuple[float, float]
    box: tuple[float, float, float, float]


def paint_scene(scene: Scene) -> tuple[NDArray[np.uint8], list[VisiblePerson]]:
    """Paint the image [H, W, 3]; return it, and its people from the farthest to the nearest."""
    place, camera = scene.place, scene.camera
    (width, height), fine = place.size, place.supersampling
    subjects: list[PlacedFurniture | Person] = [*scene.objects, *scene.people]
    behind_first = sorted(subjects, key=lambda subject: -subject.z)
    ground = place.backdrop.crop((scene.pan, 0, scene.pan + width, height))

    shadows = Image.new("L", place.size)
    pen = ImageDraw.Draw(shadows)
    for subject in behind_first:
        draw_subject(Sketch(camera, scene.light), subject).draw_shapes(pen, 255)
    pen.rectangle(
        (0, 0, width, round(camera.horizon + camera.height * camera.focal / (place.far + WALL_OFFSET_METRES))), 0
    )
    shadowed = ground.point([round(value * (1 - scene.shadow_darkness)) for value in range(256)] * 3)
    picture = Image.composite(shadowed, ground, shadows)

    pen, visible = ImageDraw.Draw(picture), []
    for subject in behind_first:
        sketch = draw_subject(Sketch(camera), subject)
        sketch.draw_shapes(pen)
        if isinstance(subject, Person):
            (x, y, _), (x0, y0, x1, y1) = sketch.project_point(subject.head_centre), sketch.bounding_box()
            box = max(x0, 0) / fine, max(y0, 0) / fine, min(x1, width) / fine, min(y1, height) / fine
            visible.append(VisiblePerson(subject.child, (x / fine, y / fine), box))
    pixels = np.asarray(picture.reduce(fine)) * np.array(scene.tint, np.float32)
    return np.clip(np.rint(pixels) + scene.noise, 0, 255).astype(np.uint8), visible


def draw_subject(sketch: Sketch, subject: PlacedFurniture | Person) -> Sketch:
    if isinstance(subject, Person):
        draw_person(sketch, subject)
    else:
        subject.furniture.draw(sketch, subject.x, subject.z, subject.tone)
    return sketch
