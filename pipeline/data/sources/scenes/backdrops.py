"""What lies behind people: streets, squares and parks, with the ground they stand on."""

import numpy as np

from thalweg.data.sources.scenes.canvas import Colour, Sketch, shade
from thalweg.data.sources.scenes.furniture import PAINTS

WALL = 1.6
"""Buildings, hedges and shop fronts begin so many metres behind the farthest people."""


def street(sketch: Sketch, rng: np.random.Generator, far: float) -> None:
    """A pavement, a road along the picture, and a front of shops under windows."""
    wall, u = far + WALL, rng.random(4).tolist()
    paving = shade((176, 170, 160), 0.85 + 0.25 * u[0])
    ground(sketch, paving, wall)
    kerb = (0.45 + 0.2 * u[1]) * far
    strip(sketch, kerb, kerb + 0.25, shade(paving, 1.2))
    strip(sketch, kerb + 0.25, kerb + 3.6, shade((96, 98, 102), 0.85 + 0.3 * u[2]))
    strip(sketch, kerb + 3.6, kerb + 3.9, shade(paving, 1.15))
    for x in range(-24, 24, 3):
        lane = kerb + 1.9
        sketch.face(((x, 0, lane), (x + 1.5, 0, lane), (x + 1.5, 0, lane + 0.15), (x, 0, lane + 0.15)), (222, 220, 210))
    left = -24.0
    while left < 24:
        wide, front = float(rng.uniform(3.2, 6)), WALLS[rng.integers(len(WALLS))]
        house(sketch, rng, left, wide, wall, 14.0, front)
        sign_paint, glass = PAINTS[rng.integers(len(PAINTS))], (70, 84, 96)
        upright(sketch, left + 0.2, left + wide - 0.2, 2.5, 3.0, wall, sign_paint)
        upright(sketch, left + 0.3, left + wide - 1.5, 0.5, 2.4, wall, glass)
        upright(sketch, left + wide - 1.2, left + wide - 0.4, 0.0, 2.3, wall, shade(sign_paint, 0.7))
        left += wide


def square(sketch: Sketch, rng: np.random.Generator, far: float) -> None:
    """Large slabs of stone, and houses of many heights under the sky."""
    u = rng.random(2).tolist()
    stone, back = shade(STONES[rng.integers(len(STONES))], 0.85 + 0.3 * u[0]), far + WALL
    sky(sketch, rng)
    ground(sketch, stone, back)
    slab = 1.2 + u[1]
    for step in range(-16, 17):
        x = step * slab
        sketch.face(((x, 0, 1.0), (x + 0.05, 0, 1.0), (x + 0.05, 0, back), (x, 0, back)), shade(stone, 0.88))
    row = 1.0
    while row < back:
        strip(sketch, row, row + 0.06, shade(stone, 0.88))
        row += slab
    left = -20.0
    while left < 20:
        wide, front = float(rng.uniform(2.5, 5)), WALLS[rng.integers(len(WALLS))]
        house(sketch, rng, left, wide, back, float(rng.uniform(2.8, 5.5)), front)
        left += wide


def park(sketch: Sketch, rng: np.random.Generator, far: float) -> None:
    """Grass, a path, and a row of trees and hedges under the sky."""
    u, back = rng.random(4).tolist(), far + WALL
    grass = (86 + round(40 * u[0]), 128 + round(24 * u[1]), 66)
    sky(sketch, rng)
    ground(sketch, grass, back)
    start, end, wide = 3 * u[2] - 1.5, 8 * u[3] - 4, 1.4
    path = ((start - wide, 0.0, 1.0), (start + wide, 0.0, 1.0), (end + wide, 0.0, back), (end - wide, 0.0, back))
    sketch.face(path, (190, 172, 138))
    for x in range(-20, 20):
        v = rng.random(3).tolist()
        green = (46 + round(30 * v[0]), 84 + round(40 * v[1]), 46)
        sketch.disc((x + v[2], 0.7 + 2.2 * v[0], back + 0.5), 0.9 + v[1], 0.9 + 1.2 * v[2], green)
    upright(sketch, -22, 22, 0.0, 1.0, back, (58, 92, 52))


WALLS = (
    (178, 96, 74),
    (206, 188, 156),
    (152, 148, 144),
    (222, 214, 198),
    (134, 108, 92),
    (196, 156, 118),
    (120, 132, 140),
)
STONES = ((186, 180, 170), (160, 160, 162), (196, 176, 150), (150, 140, 130))


def sky(sketch: Sketch, rng: np.random.Generator) -> None:
    tone = ((158, 196, 230), (196, 208, 216), (216, 220, 222))[rng.integers(3)]
    upright(sketch, -99, 99, -10.0, 60.0, 60.0, tone)


def ground(sketch: Sketch, colour: Colour, back: float) -> None:
    """All of the ground, a little lighter with distance."""
    edges = [back + (1.0 - back) * step / 8 for step in range(9)]
    for step in range(8):
        strip(sketch, edges[step + 1], edges[step], shade(colour, 1.06 - 0.02 * step))


def strip(sketch: Sketch, near: float, far: float, colour: Colour) -> None:
    """A band of ground across the picture."""
    sketch.face(((-99, 0, near), (99, 0, near), (99, 0, far), (-99, 0, far)), colour)


def upright(sketch: Sketch, left: float, right: float, low: float, high: float, z: float, colour: Colour) -> None:
    """A rectangle that faces the camera."""
    sketch.face(((left, low, z), (right, low, z), (right, high, z), (left, high, z)), colour)


def house(
    sketch: Sketch, rng: np.random.Generator, left: float, wide: float, z: float, high: float, front: Colour
) -> None:
    """A front with rows of windows above the ground floor."""
    front = shade(front, float(rng.uniform(0.85, 1.1)))
    upright(sketch, left, left + wide, 0.0, high, z, front)
    upright(sketch, left, left + 0.12, 0.0, high, z, shade(front, 0.8))
    pane = shade((84, 98, 112), float(rng.uniform(0.8, 1.3)))
    columns = max(1, int(wide / 1.3))
    for column in range(columns):
        x, low = left + wide * (column + 0.5) / columns, 3.4 if high > 6 else 0.9
        while low + 1.2 < high:
            upright(sketch, x - 0.34, x + 0.34, low, low + 1.1, z, pane)
            low += 2.1


BACKDROPS = (street, square, park)
