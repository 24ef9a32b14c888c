"""Places: a camera before a street, a square or a park, the direction of the light, and possible furniture."""

from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw

from thalweg.data.sources.scenes.canvas import Camera, Colour, Sketch, shade_colour
from thalweg.data.sources.scenes.furniture import CLUTTER, PAINT_COLOURS, Furniture, draw_car

WALL_OFFSET_METRES = 1.6  # of buildings, hedges and shop fronts behind the farthest people
WALL_COLOURS = (
    *((178, 96, 74), (206, 188, 156), (152, 148, 144), (222, 214, 198)),
    *((134, 108, 92), (196, 156, 118), (120, 132, 140)),
)
STONE_COLOURS = ((186, 180, 170), (160, 160, 162), (196, 176, 150), (150, 140, 130))


@dataclass(frozen=True)
class Place:
    """The place of scenes. Lengths are in pixels of a picture `supersampling` times as large as the images.

    `backdrop` is a quarter wider than an image, so that each scene shows another part of it; `size` (width, height) is
    that part; `furniture` may appear there; `light` is the direction in which shadows fall, to the right and
    ahead; people stand from `near` to `far` metres ahead.
    """

    camera: Camera
    supersampling: int
    size: tuple[int, int]
    backdrop: Image.Image
    furniture: tuple[Furniture, ...]
    light: tuple[float, float]
    near: float
    far: float


def build_place(seed: int, number: int, size: tuple[int, int]) -> Place:
    """Build place `number` of `seed`, for images of `size` (height, width)."""
    rng = np.random.default_rng((seed, 0, number))
    u = rng.random(3).tolist()
    fine = 4 if min(size) < 96 else 3 if min(size) < 200 else 2
    height, width = size[0] * fine, size[1] * fine
    full_width = width + width // 4
    camera = Camera(centre=full_width / 2, horizon=(0.1 + 0.16 * u[0]) * height, focal=height, height=2.5 + 1.3 * u[1])
    # an adult of 1.7 m is at least a fifth of the image high; the feet of the nearest are just below its edge
    far = 1.7 * camera.focal / (height / 5)
    near = camera.focal * camera.height / (1.03 * height - camera.horizon)
    backdrop = Image.new("RGB", (full_width, height))
    sketch = Sketch(camera)
    draw_backdrop = BACKDROPS[number % len(BACKDROPS)]
    draw_backdrop(sketch, rng, far)
    sketch.draw_shapes(ImageDraw.Draw(backdrop))
    grain = rng.integers(-5, 6, (size[0], full_width // fine + 1, 1), dtype=np.int16).repeat(fine, 0).repeat(fine, 1)
    pixels = np.clip(np.asarray(backdrop) + grain[:, :full_width], 0, 255).astype(np.uint8)
    angle = pi * (1.4 * u[2] - 0.2)
    light = (cos(angle), 0.6 * sin(angle))
    furniture = tuple(item for item in CLUTTER if not (draw_backdrop is draw_park and item.draw is draw_car))
    return Place(camera, fine, (width, height), Image.fromarray(pixels), furniture, light, near, far)


def draw_street(sketch: Sketch, rng: np.random.Generator, farthest: float) -> None:
    """Draw a pavement, a road across the picture, and a front of shops under windows."""
    wall, u = farthest + WALL_OFFSET_METRES, rng.random(4).tolist()
    paving = shade_colour((176, 170, 160), 0.85 + 0.25 * u[0])
    draw_ground(sketch, paving, wall)
    kerb = (0.45 + 0.2 * u[1]) * farthest
    draw_strip(sketch, kerb, kerb + 0.25, shade_colour(paving, 1.2))
    draw_strip(sketch, kerb + 0.25, kerb + 3.6, shade_colour((96, 98, 102), 0.85 + 0.3 * u[2]))
    draw_strip(sketch, kerb + 3.6, kerb + 3.9, shade_colour(paving, 1.15))
    for x in range(-24, 24, 3):
        lane = kerb + 1.9
        sketch.add_polygon(
            ((x, 0, lane), (x + 1.5, 0, lane), (x + 1.5, 0, lane + 0.15), (x, 0, lane + 0.15)), (222, 220, 210)
        )
    left = -24.0
    while left < 24:
        width, front = float(rng.uniform(3.2, 6)), WALL_COLOURS[rng.integers(len(WALL_COLOURS))]
        draw_house(sketch, rng, left, width, wall, 14.0, front)
        sign_paint, glass = PAINT_COLOURS[rng.integers(len(PAINT_COLOURS))], (70, 84, 96)
        sketch.add_rectangle(left + 0.2, left + width - 0.2, 2.5, 3.0, wall, sign_paint)
        sketch.add_rectangle(left + 0.3, left + width - 1.5, 0.5, 2.4, wall, glass)
        sketch.add_rectangle(left + width - 1.2, left + width - 0.4, 0.0, 2.3, wall, shade_colour(sign_paint, 0.7))
        left += width


def draw_square(sketch: Sketch, rng: np.random.Generator, farthest: float) -> None:
    """Draw large slabs of stone, and houses of many heights under the sky."""
    u = rng.random(2).tolist()
    stone = shade_colour(STONE_COLOURS[rng.integers(len(STONE_COLOURS))], 0.85 + 0.3 * u[0])
    back = farthest + WALL_OFFSET_METRES
    draw_sky(sketch, rng)
    draw_ground(sketch, stone, back)
    slab = 1.2 + u[1]
    for step in range(-16, 17):
        x = step * slab
        sketch.add_polygon(
            ((x, 0, 1.0), (x + 0.05, 0, 1.0), (x + 0.05, 0, back), (x, 0, back)), shade_colour(stone, 0.88)
        )
    row = 1.0
    while row < back:
        draw_strip(sketch, row, row + 0.06, shade_colour(stone, 0.88))
        row += slab
    left = -20.0
    while left < 20:
        width, front = float(rng.uniform(2.5, 5)), WALL_COLOURS[rng.integers(len(WALL_COLOURS))]
        draw_house(sketch, rng, left, width, back, float(rng.uniform(2.8, 5.5)), front)
        left += width


def draw_park(sketch: Sketch, rng: np.random.Generator, farthest: float) -> None:
    """Draw grass, a path, and a row of trees and hedges under the sky."""
    u, back = rng.random(4).tolist(), farthest + WALL_OFFSET_METRES
    grass = (86 + round(40 * u[0]), 128 + round(24 * u[1]), 66)
    draw_sky(sketch, rng)
    draw_ground(sketch, grass, back)
    start, end, half = 3 * u[2] - 1.5, 8 * u[3] - 4, 1.4  # half: of the path's width
    path = ((start - half, 0.0, 1.0), (start + half, 0.0, 1.0), (end + half, 0.0, back), (end - half, 0.0, back))
    sketch.add_polygon(path, (190, 172, 138))
    for x in range(-20, 20):
        v = rng.random(3).tolist()
        green = (46 + round(30 * v[0]), 84 + round(40 * v[1]), 46)
        sketch.add_ellipse((x + v[2], 0.7 + 2.2 * v[0], back + 0.5), 0.9 + v[1], 0.9 + 1.2 * v[2], green)
    sketch.add_rectangle(-22, 22, 0.0, 1.0, back, (58, 92, 52))


def draw_sky(sketch: Sketch, rng: np.random.Generator) -> None:
    tone = ((158, 196, 230), (196, 208, 216), (216, 220, 222))[rng.integers(3)]
    sketch.add_rectangle(-99, 99, -10.0, 60.0, 60.0, tone)


def draw_ground(sketch: Sketch, colour: Colour, back: float) -> None:
    """Draw all of the ground, a little lighter with distance."""
    edges = [back + (1.0 - back) * step / 8 for step in range(9)]
    for step in range(8):
        draw_strip(sketch, edges[step + 1], edges[step], shade_colour(colour, 1.06 - 0.02 * step))


def draw_strip(sketch: Sketch, near: float, far: float, colour: Colour) -> None:
    """Draw a band of ground across the picture."""
    sketch.add_polygon(((-99, 0, near), (99, 0, near), (99, 0, far), (-99, 0, far)), colour)


def draw_house(
    sketch: Sketch, rng: np.random.Generator, left: float, width: float, z: float, top: float, front: Colour
) -> None:
    """Draw a front with rows of windows above the ground floor."""
    front = shade_colour(front, float(rng.uniform(0.85, 1.1)))
    sketch.add_rectangle(left, left + width, 0.0, top, z, front)
    sketch.add_rectangle(left, left + 0.12, 0.0, top, z, shade_colour(front, 0.8))
    pane = shade_colour((84, 98, 112), float(rng.uniform(0.8, 1.3)))
    columns = max(1, int(width / 1.3))
    for column in range(columns):
        x, low = left + width * (column + 0.5) / columns, 3.4 if top > 6 else 0.9
        while low + 1.2 < top:
            sketch.add_rectangle(x - 0.34, x + 0.34, low, low + 1.1, z, pane)
            low += 2.1


BACKDROPS = (draw_street, draw_square, draw_park)
