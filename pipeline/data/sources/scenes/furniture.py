"""Street furniture beside people, and its colours."""

from collections.abc import Callable
from dataclasses import dataclass

from thalweg.data.sources.scenes.canvas import Colour, Sketch, Solids, shade_colour


def draw_lamp(sketch: Sketch, x: float, z: float, tone: Colour) -> None:
    metal = shade_colour(tone, 0.5)
    sketch.add_limb((x, 0, z), (x, 4.2, z), 0.08, 0.05, metal)
    sketch.add_limb((x, 4.2, z), (x + 0.7, 4.4, z), 0.05, 0.05, metal)
    sketch.add_ellipse((x + 0.8, 4.35, z), 0.25, 0.1, (246, 236, 196))


def draw_sign(sketch: Sketch, x: float, z: float, tone: Colour) -> None:
    sketch.add_limb((x, 0, z), (x, 2.3, z), 0.035, 0.035, (140, 142, 146))
    sketch.add_ellipse((x, 2.1, z), 0.3, 0.3, (236, 236, 232))
    sketch.add_ellipse((x, 2.1, z), 0.24, 0.24, tone)


def draw_bollard(sketch: Sketch, x: float, z: float, tone: Colour) -> None:
    sketch.add_limb((x, 0.05, z), (x, 0.85, z), 0.1, 0.09, tone)
    sketch.add_limb((x, 0.5, z), (x, 0.54, z), 0.1, 0.1, (232, 230, 224))


def draw_bin(sketch: Sketch, x: float, z: float, tone: Colour) -> None:
    sketch.add_block(x, z, 0.0, (0.55, 0.95, 0.5), tone)
    sketch.add_rectangle(x - 0.2, x + 0.2, 0.7, 0.82, z, (28, 28, 30))


def draw_bench(sketch: Sketch, x: float, z: float, tone: Colour) -> None:
    for leg in (x - 0.7, x + 0.65):
        sketch.add_block(leg, z, 0.0, (0.08, 0.42, 0.45), (60, 60, 62))
    sketch.add_block(x, z + 0.4, 0.55, (1.7, 0.35, 0.06), shade_colour(tone, 0.85))
    sketch.add_block(x, z, 0.4, (1.7, 0.07, 0.45), tone)


def draw_planter(sketch: Sketch, x: float, z: float, tone: Colour) -> None:
    sketch.add_block(x, z, 0.0, (1.1, 0.5, 0.6), shade_colour(tone, 1.1))
    for dx, r in ((-0.32, 0.3), (0.3, 0.28), (0.0, 0.36)):
        sketch.add_ellipse((x + dx, 0.7, z + 0.2), r, r, (58, 112 + round(60 * r), 52))


def draw_tree(sketch: Sketch, x: float, z: float, tone: Colour) -> None:
    green = (48 + tone[0] // 6, 96 + tone[1] // 6, 44)
    sketch.add_limb((x, 0, z), (x + 0.08, 2.9, z), 0.17, 0.1, (92, 70, 52))
    for dx, y, r, dim in ((0.8, 3.2, 0.9, 0.7), (-0.7, 3.1, 0.9, 0.85), (0.1, 3.7, 1.15, 1.0), (-0.3, 4.0, 0.6, 1.2)):
        sketch.add_ellipse((x + dx, y, z), r, 0.85 * r, shade_colour(green, dim))


def draw_car(sketch: Sketch, x: float, z: float, tone: Colour) -> None:
    def draw_panel(outline: tuple[tuple[float, float], ...], depth: float, colour: Colour) -> None:
        sketch.add_polygon(tuple((x + dx, y, z + depth) for dx, y in outline), colour)

    cabin = ((-1.3, 0.9), (-0.85, 1.42), (0.5, 1.42), (1.15, 0.9))
    sketch.add_block(x, z, 0.25, (4.1, 0.65, 1.6), tone)
    draw_panel(cabin, 1.4, shade_colour(tone, 0.6))
    left, right, y = x - 0.85, x + 0.5, 1.42
    sketch.add_polygon(
        ((left, y, z + 0.1), (right, y, z + 0.1), (right, y, z + 1.4), (left, y, z + 1.4)), shade_colour(tone, 1.15)
    )
    draw_panel(cabin, 0.1, tone)
    draw_panel(((-1.1, 0.93), (-0.8, 1.34), (-0.2, 1.34), (-0.2, 0.93)), 0.1, (60, 74, 86))
    draw_panel(((-0.1, 0.93), (-0.1, 1.34), (0.44, 1.34), (0.95, 0.93)), 0.1, (60, 74, 86))
    for wheel in (x - 1.25, x + 1.3):
        sketch.add_ellipse((wheel, 0.32, z), 0.33, 0.33, (30, 30, 32))
        sketch.add_ellipse((wheel, 0.32, z), 0.16, 0.16, (150, 152, 156))


@dataclass(frozen=True)
class Furniture:
    """An object: its drawing at (x, z) in a colour, and the areas that it hides.

    It appears only beyond the share `min_depth_share` of the ground's depth, as it would fill the picture nearer by.
    """

    draw: Callable[[Sketch, float, float, Colour], None]
    solids: Solids
    min_depth_share: float = 0.0


CLUTTER = (
    Furniture(draw_lamp, ((0.1, 0.0, 4.3),)),
    Furniture(draw_sign, ((0.05, 0.0, 1.8), (0.3, 1.8, 2.4))),
    Furniture(draw_bollard, ((0.12, 0.0, 0.9),)),
    Furniture(draw_bin, ((0.3, 0.0, 1.0),)),
    Furniture(draw_bench, ((0.9, 0.0, 0.95),), 0.2),
    Furniture(draw_planter, ((0.65, 0.0, 1.1),), 0.2),
    Furniture(draw_tree, ((0.18, 0.0, 2.4), (1.7, 2.3, 4.8)), 0.4),
    Furniture(draw_car, ((2.1, 0.0, 0.95), (1.2, 0.95, 1.45)), 0.85),
)
PAINT_COLOURS = (
    (44, 62, 54),
    (52, 56, 62),
    (150, 52, 44),
    (46, 84, 140),
    (196, 150, 60),
    (136, 104, 76),
    (170, 174, 178),
)
