"""From a scene to its image, and to what is true of the people in it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from thalweg.data.sources.scenes.backdrops import WALL
from thalweg.data.sources.scenes.canvas import Sketch
from thalweg.data.sources.scenes.layout import Thing
from thalweg.data.sources.scenes.people import Person, figure
from thalweg.data.sources.scenes.place import Place
from thalweg.data.sources.scenes.scene import Scene


class Seen(NamedTuple):
    """A person in an image: head x, y; box x0, y0, x1, y1 of all of the body that is inside the frame."""

    child: bool
    head: tuple[float, float]
    box: tuple[float, float, float, float]


def paint(scene: Scene) -> tuple[NDArray[np.uint8], list[Seen]]:
    """The image [H, W, 3], and its people from the farthest to the nearest."""
    place, camera = scene.place, scene.camera
    width, height = place.size
    everyone: list[Thing | Person] = [*scene.things, *scene.people]
    behind_first = sorted(everyone, key=lambda who: -who.z)
    ground = place.backdrop.crop((scene.pan, 0, scene.pan + width, height))

    shadows = Image.new("L", place.size)
    pen = ImageDraw.Draw(shadows)
    for who in behind_first:
        draw(Sketch(camera, scene.light), who).paint(pen, 255)
    pen.rectangle((0, 0, width, round(camera.horizon + camera.height * camera.focal / (place.far + WALL))), 0)
    dark = ground.point([round(value * (1 - scene.shade)) for value in range(256)] * 3)
    picture = Image.composite(dark, ground, shadows)

    pen, seen = ImageDraw.Draw(picture), []
    for who in behind_first:
        sketch = draw(Sketch(camera), who)
        sketch.paint(pen)
        if isinstance(who, Person):
            seen.append(Seen(who.child, sketch.project(who.head)[:2], sketch.bounds()))
    pixels = np.asarray(picture.reduce(place.fine)) * np.array(scene.tint, np.float32)
    return np.clip(np.rint(pixels) + scene.noise, 0, 255).astype(np.uint8), [inside(who, place) for who in seen]


def draw(sketch: Sketch, who: Thing | Person) -> Sketch:
    if isinstance(who, Person):
        figure(sketch, who)
    else:
        who.what.draw(sketch, who.x, who.z, who.tone)
    return sketch


def inside(seen: Seen, place: Place) -> Seen:
    """From pixels of the large picture to pixels of the image, the box cut at the frame."""
    (x, y), (x0, y0, x1, y1), (width, height), fine = seen.head, seen.box, place.size, place.fine
    box = max(x0, 0) / fine, max(y0, 0) / fine, min(x1, width) / fine, min(y1, height) / fine
    return Seen(seen.child, (x / fine, y / fine), box)
