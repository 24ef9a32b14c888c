"""One scene: its place, its weather, and all who are in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thalweg.data.sources.scenes.canvas import Camera
from thalweg.data.sources.scenes.layout import Options, Thing, arrange
from thalweg.data.sources.scenes.people import Person
from thalweg.data.sources.scenes.place import Place


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
    tint: tuple[float, float, float]
    shade: float
    light: tuple[float, float]
    noise: NDArray[np.int16]
    things: tuple[Thing, ...]
    people: tuple[Person, ...]


def begin(seed: int, index: int, places: int) -> tuple[int, np.random.Generator]:
    """The number of the place, of so many, that scene `index` of `seed` is in, and the chance that draws the rest."""
    rng = np.random.default_rng((seed, 1, index))
    return int(rng.integers(places)), rng


def compose(options: Options, places: Sequence[Place], seed: int, index: int) -> Scene:
    """Scene `index` of `seed`: where, in which weather, with whom."""
    number, rng = begin(seed, index, len(places))
    place = places[number]
    pan = int(rng.integers(place.backdrop.width - place.size[0] + 1))
    u = rng.random(3).tolist()
    if u[0] < 0.5:  # a clear day
        tint, dark, length = (1.02, 1.0, 0.96), 0.45, 0.4 + 0.5 * u[1]
    elif u[0] < 0.8:  # overcast
        tint, dark, length = (0.84, 0.89, 0.93), 0.28, 0.12
    else:  # dusk
        tint, dark, length = (0.78, 0.67, 0.7), 0.35, 0.9 + 0.5 * u[1]
    bright = 0.85 + 0.25 * u[2]
    grain = int(rng.integers(1, 9))
    noise = rng.integers(-grain, grain + 1, (*options.size, 3), dtype=np.int16)
    camera = replace(place.camera, centre=place.camera.centre - pan)
    things, people = arrange(options, place, camera, rng)
    return Scene(
        place=place,
        camera=camera,
        pan=pan,
        tint=(tint[0] * bright, tint[1] * bright, tint[2] * bright),
        shade=dark,
        light=(place.light[0] * length, place.light[1] * length),
        noise=noise,
        things=tuple(things),
        people=tuple(people),
    )
