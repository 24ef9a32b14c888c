"""Flat shapes, placed in metres before a camera and kept as whole pixels.

A point is (x, y, z): metres to the right of the camera, above the ground, ahead of the camera. Projected coordinates
are rounded to whole pixels at once, so a picture has the same bytes on every machine.
"""

from dataclasses import dataclass
from math import hypot

from PIL import ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float, float]
Solids = tuple[tuple[float, float, float], ...]
"""The parts of a subject that hide others: (half-width, lowest height, highest height), in metres."""


@dataclass(frozen=True)
class Camera:
    """A level pinhole camera: column of its axis, row of the horizon and focal length in pixels; height in metres."""

    centre: float
    horizon: float
    focal: float
    height: float


class Sketch:
    """Shapes in the order of painting; with `light`, their shadows.

    The shadow of a point y metres up lies on the ground, `light` times y to the right and ahead.
    """

    def __init__(self, camera: Camera, light: tuple[float, float] | None = None) -> None:
        self.camera, self.light = camera, light
        self.parts: list[tuple[bool, tuple[int, ...], Colour]] = []

    def project_point(self, point: Point) -> tuple[float, float, float]:
        """Return column, row, and pixels per metre. Points nearer than a metre are drawn at one metre."""
        x, y, z = point
        if self.light:
            x, y, z = x + y * self.light[0], 0.0, z + y * self.light[1]
        scale = self.camera.focal / max(z, 1.0)
        return self.camera.centre + x * scale, self.camera.horizon + (self.camera.height - y) * scale, scale

    def add_ellipse(self, point: Point, half_width: float, half_height: float, colour: Colour) -> None:
        """Add an upright ellipse; its half-axes are in metres."""
        x, y, scale = self.project_point(point)
        dx, dy = half_width * scale, half_height * scale
        self.parts.append((True, (round(x - dx), round(y - dy), round(x + dx), round(y + dy)), colour))

    def add_polygon(self, points: tuple[Point, ...], colour: Colour) -> None:
        projected = [self.project_point(point) for point in points]
        self.parts.append((False, tuple(round(v) for x, y, _ in projected for v in (x, y)), colour))

    def add_rectangle(self, left: float, right: float, low: float, high: float, z: float, colour: Colour) -> None:
        """Add a rectangle that faces the camera."""
        self.add_polygon(((left, low, z), (right, low, z), (right, high, z), (left, high, z)), colour)

    def add_limb(self, a: Point, b: Point, thick: float, thin: float, colour: Colour) -> None:
        """Add a rod with blunt ends, of radius `thick` at `a` and `thin` at `b`, in metres."""
        (ax, ay, scale), (bx, by, _) = self.project_point(a), self.project_point(b)
        length = hypot(bx - ax, by - ay) or 1.0
        ux, uy = (bx - ax) / length, (by - ay) / length
        outline: list[int] = []
        for x, y, r in ((ax, ay, -thick * scale), (bx, by, thin * scale)):
            for along, across in ((0.0, -1.0), (0.87, -0.5), (0.87, 0.5), (0.0, 1.0)):
                outline += round(x + r * (along * ux - across * uy)), round(y + r * (along * uy + across * ux))
        self.parts.append((False, tuple(outline), colour))

    def add_trapezoid(
        self, x: float, z: float, rows: tuple[float, float], half_widths: tuple[float, float], colour: Colour
    ) -> None:
        """Add a trapezoid that faces the camera: `rows` its lowest and highest y, `half_widths` at both."""
        (low, high), (a, b) = rows, half_widths
        self.add_polygon(((x - a, low, z), (x + a, low, z), (x + b, high, z), (x - b, high, z)), colour)

    def add_block(self, x: float, z: float, base: float, size: Point, colour: Colour) -> None:
        """Add a block of `size` (wide, high, deep) centred at x, its front at z, its foot `base` above the ground."""
        left, right, top, back = x - size[0] / 2, x + size[0] / 2, base + size[1], z + size[2]
        side = left if x > 0 else right
        self.add_polygon(
            ((side, base, z), (side, base, back), (side, top, back), (side, top, z)), shade_colour(colour, 0.7)
        )
        self.add_polygon(
            ((left, top, z), (left, top, back), (right, top, back), (right, top, z)), shade_colour(colour, 1.15)
        )
        self.add_rectangle(left, right, base, top, z, colour)

    def bounding_box(self) -> tuple[int, int, int, int]:
        """Return the first column and row that may be painted, and one past the last."""
        xs = [x for _, outline, _ in self.parts for x in outline[::2]]
        ys = [y for _, outline, _ in self.parts for y in outline[1::2]]
        return min(xs), min(ys), max(xs) + 1, max(ys) + 1

    def draw_shapes(self, pen: ImageDraw.ImageDraw, flat: int | None = None) -> None:
        """Draw the shapes onto a picture, in their own colours or all in one."""
        for oval, outline, colour in self.parts:
            (pen.ellipse if oval else pen.polygon)(outline, fill=colour if flat is None else flat)


def shade_colour(colour: Colour, factor: float) -> Colour:
    """Return `colour` made darker (factor < 1) or lighter."""
    red, green, blue = (min(255, round(value * factor)) for value in colour)
    return red, green, blue
