"""People and street furniture as flat shapes, placed in metres before a camera and kept as whole pixels.

A point is (x, y, z): metres to the right of the camera, above the ground, ahead of the camera. Coordinates are rounded
to whole pixels as soon as they are projected, so a picture is the same bytes wherever it is drawn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, hypot, sin

import numpy as np
from PIL import ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float, float]
Solids = tuple[tuple[float, float, float], ...]
"""What hides others: half-widths, and from what height to what height, in metres."""


@dataclass(frozen=True)
class Camera:
    """A level pinhole camera: column of its axis, row of the horizon and focal length in pixels; height in metres."""

    centre: float
    horizon: float
    focal: float
    height: float


class Sketch:
    """Shapes in the order they are painted. With `light`, their shadows: what is y metres up falls on the ground,
    `light` times y to the right and ahead."""

    def __init__(self, camera: Camera, light: tuple[float, float] | None = None) -> None:
        self.camera, self.light = camera, light
        self.parts: list[tuple[bool, tuple[int, ...], Colour]] = []

    def project(self, at: Point) -> tuple[float, float, float]:
        """Column, row, and pixels per metre there. What is nearer than a metre is drawn as if a metre away."""
        x, y, z = at
        if self.light:
            x, y, z = x + y * self.light[0], 0.0, z + y * self.light[1]
        scale = self.camera.focal / max(z, 1.0)
        return self.camera.centre + x * scale, self.camera.horizon + (self.camera.height - y) * scale, scale

    def disc(self, at: Point, wide: float, high: float, colour: Colour) -> None:
        """An upright ellipse of half-axes `wide` and `high` metres."""
        x, y, scale = self.project(at)
        wide, high = wide * scale, high * scale
        self.parts.append((True, (round(x - wide), round(y - high), round(x + wide), round(y + high)), colour))

    def face(self, points: tuple[Point, ...], colour: Colour) -> None:
        """A polygon."""
        spots = [self.project(point) for point in points]
        self.parts.append((False, tuple(round(v) for x, y, _ in spots for v in (x, y)), colour))

    def limb(self, a: Point, b: Point, thick: float, thin: float, colour: Colour) -> None:
        """A rod from `a` to `b` with blunt ends, of radius `thick` at `a` and `thin` at `b`, in metres."""
        (ax, ay, scale), (bx, by, _) = self.project(a), self.project(b)
        length = hypot(bx - ax, by - ay) or 1.0
        ux, uy = (bx - ax) / length, (by - ay) / length
        outline: list[int] = []
        for x, y, r in ((ax, ay, -thick * scale), (bx, by, thin * scale)):
            for along, across in ((0.0, -1.0), (0.87, -0.5), (0.87, 0.5), (0.0, 1.0)):
                outline += round(x + r * (along * ux - across * uy)), round(y + r * (along * uy + across * ux))
        self.parts.append((False, tuple(outline), colour))

    def taper(self, x: float, z: float, rows: tuple[float, float], wide: tuple[float, float], colour: Colour) -> None:
        """A trapezoid that faces the camera: `rows` its lowest and highest y, `wide` half its width at both."""
        (low, high), (a, b) = rows, wide
        self.face(((x - a, low, z), (x + a, low, z), (x + b, high, z), (x - b, high, z)), colour)

    def box(self, x: float, z: float, base: float, size: Point, colour: Colour) -> None:
        """A block of `size` (wide, high, deep) centred at x, its front at z, its foot `base` above the ground."""
        left, right, top, back = x - size[0] / 2, x + size[0] / 2, base + size[1], z + size[2]
        side = left if x > 0 else right
        self.face(((side, base, z), (side, base, back), (side, top, back), (side, top, z)), shade(colour, 0.7))
        self.face(((left, top, z), (left, top, back), (right, top, back), (right, top, z)), shade(colour, 1.15))
        self.face(((left, base, z), (right, base, z), (right, top, z), (left, top, z)), colour)

    def bounds(self) -> tuple[int, int, int, int]:
        """The first column and row that may be painted, and one past the last."""
        xs = [x for _, outline, _ in self.parts for x in outline[::2]]
        ys = [y for _, outline, _ in self.parts for y in outline[1::2]]
        return min(xs), min(ys), max(xs) + 1, max(ys) + 1

    def paint(self, pen: ImageDraw.ImageDraw, flat: int | None = None) -> None:
        """Onto a picture, in the shapes' own colours or all in one."""
        for oval, outline, colour in self.parts:
            (pen.ellipse if oval else pen.polygon)(outline, fill=colour if flat is None else flat)


def shade(colour: Colour, factor: float) -> Colour:
    """`colour` made darker (factor < 1) or lighter."""
    red, green, blue = (min(255, round(value * factor)) for value in colour)
    return red, green, blue


SKINS = ((255, 219, 190), (241, 194, 150), (224, 172, 120), (198, 134, 85), (160, 104, 66), (120, 76, 48), (82, 52, 36))
HAIRS = ((24, 20, 18), (48, 32, 22), (82, 52, 30), (122, 62, 30), (196, 158, 96), (150, 146, 142), (220, 216, 208))
CLOTHES = (
    *((32, 34, 42), (70, 74, 82), (232, 230, 224), (176, 40, 44), (216, 92, 48), (236, 184, 60), (60, 118, 70)),
    *((38, 132, 134), (52, 92, 160), (34, 46, 92), (120, 70, 136), (214, 128, 160), (138, 96, 62), (150, 190, 216)),
)
TROUSERS = ((34, 36, 44), (44, 58, 96), (70, 92, 130), (92, 84, 74), (176, 158, 124), (58, 62, 54), (210, 206, 196))


@dataclass(frozen=True)
class Person:
    """Someone on the ground at (x, z). Lengths in metres, angles in radians; `yaw` 0 walks towards the camera.

    `stride` is how far the legs are apart, negative with the other leg in front; `arms` of the left and right hand
    side, each one of 'swing', 'raised', 'bent'; `legs` one of 'trousers', 'shorts', 'skirt'; `hair` one of 'short',
    'long', 'hat'; `bag` one of '', 'hand', 'back'.
    """

    child: bool
    x: float
    z: float
    height: float
    build: float
    yaw: float
    stride: float
    arms: tuple[str, str]
    legs: str
    hair: str
    bag: str
    sleeves: bool
    colours: tuple[Colour, Colour, Colour, Colour, Colour, Colour]
    """Of skin, hair, top, trousers or skirt, shoes, bag or hat."""

    @property
    def skull(self) -> float:
        """Half the height of the head: a child's is larger for its size."""
        return self.height * (0.092 if self.child else 0.073)

    @property
    def head(self) -> Point:
        """The middle of the head."""
        return self.x, self.height - self.skull, self.z

    @property
    def solids(self) -> Solids:
        return ((0.16 * self.build * self.height, 0.0, self.height),)


def passer_by(rng: np.random.Generator, child: bool, yaw: float) -> Person:
    """Someone drawn at random, not yet anywhere."""

    def one(options: tuple[Colour, ...]) -> Colour:
        red, green, blue = options[rng.integers(len(options))]
        return red, green, blue

    def of(*options: str) -> str:
        return options[rng.integers(len(options))]

    u = rng.random(5).tolist()
    walks = u[0] < 0.65
    return Person(
        child=child,
        x=0.0,
        z=0.0,
        height=0.95 + 0.33 * u[1] if child else 1.56 + 0.34 * u[1],
        build=0.85 + 0.4 * u[2],
        yaw=yaw,
        stride=(0.25 + 0.3 * u[3]) * (1 if u[4] < 0.5 else -1) if walks else 0.05,
        arms=(of("swing", "swing", "swing", "raised", "bent"), of("swing", "swing", "swing", "swing", "bent")),
        legs=of("trousers", "trousers", "trousers", "skirt", "shorts"),
        hair=of("short", "short", "long", "hat"),
        bag=of("", "", "", "hand", "back"),
        sleeves=of("long", "long", "short") == "long",
        colours=(one(SKINS), one(HAIRS), one(CLOTHES), one(TROUSERS), one(TROUSERS), one(CLOTHES)),
    )


def figure(sketch: Sketch, who: Person) -> None:
    """Draw someone, the parts farther from the camera first."""
    h, build = who.height, who.build * (0.95 if who.child else 1.0)
    skin, hair, top, cloth, shoes, extra = who.colours
    ahead_x, ahead_z, skull = sin(who.yaw), -cos(who.yaw), who.skull

    def at(side: float, up: float, ahead: float) -> Point:
        """A point of the body, in its heights: to its left (negative) or right, above the ground, ahead of it."""
        x, z = -side * ahead_z + ahead * ahead_x, side * ahead_x + ahead * ahead_z
        return who.x + x * h, up * h, who.z + z * h

    leg, hip, shoulder = (0.21, 0.045, 0.755) if who.child else (0.237, 0.05, 0.815)
    rise = 2 * leg * cos(who.stride) + 0.03
    far = 1 if ahead_x > 0 else -1
    skirt = who.legs == "skirt"

    def draw_leg(side: int, dim: float) -> None:
        swing = who.stride * side
        bend = 0.5 * abs(who.stride) if swing < 0 else 0.0
        knee = at(side * hip, rise - leg * cos(swing), leg * sin(swing))
        ankle_up = rise - leg * (cos(swing) + cos(swing - bend))
        ankle_ahead = leg * (sin(swing) + sin(swing - bend))
        lower = cloth if who.legs == "trousers" else skin
        sketch.limb(at(side * hip, rise, 0), knee, 0.052 * h * build, 0.042 * h, shade(skin if skirt else cloth, dim))
        sketch.limb(knee, at(side * hip, ankle_up, ankle_ahead), 0.04 * h, 0.028 * h, shade(lower, dim))
        toe = at(side * hip * 1.2, max(ankle_up - 0.015, 0.012), ankle_ahead + 0.065)
        sketch.limb(at(side * hip, ankle_up, ankle_ahead), toe, 0.026 * h, 0.022 * h, shade(shoes, dim))

    def draw_arm(side: int, dim: float) -> None:
        pose = who.arms[side > 0]
        wide, swing = 0.105 * build, -0.8 * who.stride * side
        start = at(side * wide, shoulder - 0.015, 0)
        if pose == "raised":
            elbow = at(side * (wide + 0.09), shoulder + 0.09, 0.02)
            hand = at(side * (wide + 0.06), shoulder + 0.25, 0.04)
        elif pose == "bent":
            elbow, hand = at(side * (wide + 0.05), shoulder - 0.16, 0), at(side * wide * 0.8, shoulder - 0.06, 0.13)
        else:
            up, ahead = shoulder - 0.165 * cos(swing), 0.165 * sin(swing)
            elbow = at(side * (wide + 0.03), up, ahead)
            hand = at(side * (wide + 0.03), up - 0.14 * cos(swing + 0.3), ahead + 0.14 * sin(swing + 0.3))
        sleeve = shade(top, dim)
        sketch.limb(start, elbow, 0.036 * h, 0.031 * h, sleeve)
        sketch.limb(elbow, hand, 0.03 * h, 0.025 * h, sleeve if who.sleeves else shade(skin, dim))
        sketch.disc(hand, 0.024 * h, 0.026 * h, shade(skin, dim))
        if who.bag == "hand" and side > 0 and pose == "swing":
            x, y, z = hand
            sketch.taper(x, z, (y - 0.17 * h, y - 0.03 * h), (0.07 * h * (0.5 + 0.5 * abs(ahead_x)), 0.035 * h), extra)

    def draw_back() -> None:
        """What hangs behind: hidden by the trunk of someone who comes, over that of someone who goes."""
        if who.hair == "long":
            crown = at(0, 1.0 - skull / h, -0.3 * skull / h)
            sketch.limb(crown, at(0, 1.0 - 2.4 * skull / h, -0.4 * skull / h), 0.85 * skull, 0.75 * skull, hair)
        if who.bag == "back":
            sketch.limb(at(0, shoulder - 0.05, -0.09), at(0, rise + 0.1, -0.09), 0.06 * h, 0.075 * h, extra)

    away = ahead_z > 0.2
    draw_arm(far, 0.72)
    draw_leg(far, 0.75)
    draw_leg(-far, 1.0)
    if not away:
        draw_back()
    # the trunk is as wide as shoulders seen at this angle, and never flat
    broad = (0.06 + 0.055 * abs(ahead_z)) * h * build
    x, z = who.x, who.z
    low, high = (rise - 0.03) * h, (shoulder + 0.02) * h
    if skirt:
        sketch.taper(x, z, ((rise - 0.2) * h, low + 0.1 * h), (1.25 * broad, 0.8 * broad), cloth)
    trunk = (
        *((x - broad * 0.82, low, z), (x + broad * 0.82, low, z), (x + broad, high - 0.06 * h, z)),
        *((x + broad * 0.6, high, z), (x - broad * 0.6, high, z), (x - broad, high - 0.06 * h, z)),
    )
    sketch.face(trunk, top)
    sketch.face((*trunk[1:4], (x + broad * 0.25, high, z), (x + broad * 0.25, low, z)), shade(top, 0.78))
    if away:
        draw_back()
    crown = 1.0 - skull / h
    sketch.limb(at(0, shoulder, 0), at(0, crown - 0.03, 0.01), 0.03 * h, 0.028 * h, shade(skin, 0.85))
    draw_head(sketch, who, at(0, crown, 0), (ahead_x * skull, ahead_z * skull))
    draw_arm(-far, 1.0)


def draw_head(sketch: Sketch, who: Person, skull: Point, ahead: tuple[float, float]) -> None:
    """A skull covered with hair, and a face on its front, which shows unless it looks away."""
    x, y, z = skull
    r, (skin, hair, extra) = who.skull, (who.colours[0], who.colours[1], who.colours[5])
    look = (x + 0.35 * ahead[0], y - 0.22 * r, z)
    away = ahead[1] > 0.5 * r
    if away:
        sketch.disc(look, 0.7 * r, 0.75 * r, skin)
    sketch.disc(skull, 0.86 * r, r, hair)
    if not away:
        sketch.disc(look, 0.7 * r, 0.78 * r, skin)
    if who.hair == "hat":
        sketch.disc((x, y + 0.45 * r, z), 0.88 * r, 0.55 * r, extra)
        brim = x - 0.5 * r, x + 0.5 * r + 0.5 * ahead[0]
        sketch.limb((brim[0], y + 0.3 * r, z), (brim[1], y + 0.3 * r, z), 0.14 * r, 0.14 * r, extra)


def lamp(sketch: Sketch, x: float, z: float, tone: Colour) -> None:
    metal = shade(tone, 0.5)
    sketch.limb((x, 0, z), (x, 4.2, z), 0.08, 0.05, metal)
    sketch.limb((x, 4.2, z), (x + 0.7, 4.4, z), 0.05, 0.05, metal)
    sketch.disc((x + 0.8, 4.35, z), 0.25, 0.1, (246, 236, 196))


def sign(sketch: Sketch, x: float, z: float, tone: Colour) -> None:
    sketch.limb((x, 0, z), (x, 2.3, z), 0.035, 0.035, (140, 142, 146))
    sketch.disc((x, 2.1, z), 0.3, 0.3, (236, 236, 232))
    sketch.disc((x, 2.1, z), 0.24, 0.24, tone)


def bollard(sketch: Sketch, x: float, z: float, tone: Colour) -> None:
    sketch.limb((x, 0.05, z), (x, 0.85, z), 0.1, 0.09, tone)
    sketch.limb((x, 0.5, z), (x, 0.54, z), 0.1, 0.1, (232, 230, 224))


def bin_(sketch: Sketch, x: float, z: float, tone: Colour) -> None:
    sketch.box(x, z, 0.0, (0.55, 0.95, 0.5), tone)
    sketch.face(((x - 0.2, 0.7, z), (x + 0.2, 0.7, z), (x + 0.2, 0.82, z), (x - 0.2, 0.82, z)), (28, 28, 30))


def bench(sketch: Sketch, x: float, z: float, tone: Colour) -> None:
    for leg in (x - 0.7, x + 0.65):
        sketch.box(leg, z, 0.0, (0.08, 0.42, 0.45), (60, 60, 62))
    sketch.box(x, z + 0.4, 0.55, (1.7, 0.35, 0.06), shade(tone, 0.85))
    sketch.box(x, z, 0.4, (1.7, 0.07, 0.45), tone)


def planter(sketch: Sketch, x: float, z: float, tone: Colour) -> None:
    sketch.box(x, z, 0.0, (1.1, 0.5, 0.6), shade(tone, 1.1))
    for dx, r in ((-0.32, 0.3), (0.3, 0.28), (0.0, 0.36)):
        sketch.disc((x + dx, 0.7, z + 0.2), r, r, (58, 112 + round(60 * r), 52))


def tree(sketch: Sketch, x: float, z: float, tone: Colour) -> None:
    green = (48 + tone[0] // 6, 96 + tone[1] // 6, 44)
    sketch.limb((x, 0, z), (x + 0.08, 2.9, z), 0.17, 0.1, (92, 70, 52))
    for dx, y, r, dim in ((0.8, 3.2, 0.9, 0.7), (-0.7, 3.1, 0.9, 0.85), (0.1, 3.7, 1.15, 1.0), (-0.3, 4.0, 0.6, 1.2)):
        sketch.disc((x + dx, y, z), r, 0.85 * r, shade(green, dim))


def car(sketch: Sketch, x: float, z: float, tone: Colour) -> None:
    def slab(outline: tuple[tuple[float, float], ...], depth: float, colour: Colour) -> None:
        sketch.face(tuple((x + dx, y, z + depth) for dx, y in outline), colour)

    cabin = ((-1.3, 0.9), (-0.85, 1.42), (0.5, 1.42), (1.15, 0.9))
    sketch.box(x, z, 0.25, (4.1, 0.65, 1.6), tone)
    slab(cabin, 1.4, shade(tone, 0.6))
    sketch.face(
        ((x - 0.85, 1.42, z + 0.1), (x + 0.5, 1.42, z + 0.1), (x + 0.5, 1.42, z + 1.4), (x - 0.85, 1.42, z + 1.4)),
        shade(tone, 1.15),
    )
    slab(cabin, 0.1, tone)
    slab(((-1.1, 0.93), (-0.8, 1.34), (-0.2, 1.34), (-0.2, 0.93)), 0.1, (60, 74, 86))
    slab(((-0.1, 0.93), (-0.1, 1.34), (0.44, 1.34), (0.95, 0.93)), 0.1, (60, 74, 86))
    for wheel in (x - 1.25, x + 1.3):
        sketch.disc((wheel, 0.32, z), 0.33, 0.33, (30, 30, 32))
        sketch.disc((wheel, 0.32, z), 0.16, 0.16, (150, 152, 156))


@dataclass(frozen=True)
class Furniture:
    """An object: how it is drawn at (x, z) in a colour, what it hides, and from which share of the ground's depth on it
    may stand, because it would fill the picture if it were nearer."""

    draw: Callable[[Sketch, float, float, Colour], None]
    solids: Solids
    back: float = 0.0


CLUTTER = (
    Furniture(lamp, ((0.1, 0.0, 4.3),)),
    Furniture(sign, ((0.05, 0.0, 1.8), (0.3, 1.8, 2.4))),
    Furniture(bollard, ((0.12, 0.0, 0.9),)),
    Furniture(bin_, ((0.3, 0.0, 1.0),)),
    Furniture(bench, ((0.9, 0.0, 0.95),), 0.2),
    Furniture(planter, ((0.65, 0.0, 1.1),), 0.2),
    Furniture(tree, ((0.18, 0.0, 2.4), (1.7, 2.3, 4.8)), 0.4),
    Furniture(car, ((2.1, 0.0, 0.95), (1.2, 0.95, 1.45)), 0.85),
)
PAINTS = ((44, 62, 54), (52, 56, 62), (150, 52, 44), (46, 84, 140), (196, 150, 60), (136, 104, 76), (170, 174, 178))

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
