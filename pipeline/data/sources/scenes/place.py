"""Places: a camera before a backdrop, the direction of the light, and what may stand there."""

from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw

from thalweg.data.sources.scenes.backdrops import BACKDROPS, park
from thalweg.data.sources.scenes.canvas import Camera, Sketch
from thalweg.data.sources.scenes.furniture import CLUTTER, Furniture, car


@dataclass(frozen=True)
class Place:
    """Where scenes are set. Lengths are in pixels of a picture `fine` times as large as the images.

    `backdrop` is a quarter wider than an image, so that each scene shows another part of it; `size` (width, height) is
    that part; `furniture` is what may stand there; `light` is the direction in which shadows fall, to the right and
    ahead; people stand from `near` to `far` metres ahead.
    """

    name: str
    camera: Camera
    fine: int
    size: tuple[int, int]
    backdrop: Image.Image
    furniture: tuple[Furniture, ...]
    light: tuple[float, float]
    near: float
    far: float


def name_of(number: int) -> str:
    return f"place-{number:02d}"


def find_place(seed: int, number: int, size: tuple[int, int]) -> Place:
    """Place `number` of `seed`, for images of `size` (height, width)."""
    rng = np.random.default_rng((seed, 0, number))
    u = rng.random(3).tolist()
    fine = 4 if min(size) < 96 else 3 if min(size) < 200 else 2
    height, width = size[0] * fine, size[1] * fine
    wide = width + width // 4
    camera = Camera(centre=wide / 2, horizon=(0.1 + 0.16 * u[0]) * height, focal=height, height=2.5 + 1.3 * u[1])
    # an adult of 1.7 m is at least a fifth of the image high; the nearest stand with their feet just below its edge
    far = 1.7 * camera.focal / (height / 5)
    near = camera.focal * camera.height / (1.03 * height - camera.horizon)
    backdrop = Image.new("RGB", (wide, height))
    sketch = Sketch(camera)
    setting = BACKDROPS[number % len(BACKDROPS)]
    setting(sketch, rng, far)
    sketch.paint(ImageDraw.Draw(backdrop))
    grain = rng.integers(-5, 6, (size[0], wide // fine + 1, 1), dtype=np.int16).repeat(fine, 0).repeat(fine, 1)
    pixels = np.clip(np.asarray(backdrop) + grain[:, :wide], 0, 255).astype(np.uint8)
    angle = pi * (1.4 * u[2] - 0.2)
    light = (cos(angle), 0.6 * sin(angle))
    return Place(
        name=name_of(number),
        camera=camera,
        fine=fine,
        size=(width, height),
        backdrop=Image.fromarray(pixels),
        furniture=tuple(what for what in CLUTTER if not (setting is park and what.draw is car)),
        light=light,
        near=near,
        far=far,
    )
