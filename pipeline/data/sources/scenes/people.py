"""People: their random appearance, and how they are drawn."""

from dataclasses import dataclass
from math import cos, sin
from typing import TypeVar

import numpy as np

from thalweg.data.sources.scenes.canvas import Colour, Point, Sketch, Solids, shade_colour

SKIN_COLOURS = (
    (255, 219, 190),
    (241, 194, 150),
    (224, 172, 120),
    (198, 134, 85),
    (160, 104, 66),
    (120, 76, 48),
    (82, 52, 36),
)
HAIR_COLOURS = (
    (24, 20, 18),
    (48, 32, 22),
    (82, 52, 30),
    (122, 62, 30),
    (196, 158, 96),
    (150, 146, 142),
    (220, 216, 208),
)
CLOTHES_COLOURS = (
    *((32, 34, 42), (70, 74, 82), (232, 230, 224), (176, 40, 44), (216, 92, 48), (236, 184, 60), (60, 118, 70)),
    *((38, 132, 134), (52, 92, 160), (34, 46, 92), (120, 70, 136), (214, 128, 160), (138, 96, 62), (150, 190, 216)),
)
TROUSERS_COLOURS = (
    (34, 36, 44),
    (44, 58, 96),
    (70, 92, 130),
    (92, 84, 74),
    (176, 158, 124),
    (58, 62, 54),
    (210, 206, 196),
)


Choice = TypeVar("Choice", str, Colour)


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
    def head_radius(self) -> float:
        """Half the height of the head: larger in proportion for a child."""
        return self.height * (0.092 if self.child else 0.073)

    @property
    def head_centre(self) -> Point:
        return self.x, self.height - self.head_radius, self.z

    @property
    def solids(self) -> Solids:
        return ((0.16 * self.build * self.height, 0.0, self.height),)


def sample_person(rng: np.random.Generator, child: bool, yaw: float) -> Person:
    """Draw the appearance of a person at random, without a position."""

    def choose(*options: Choice) -> Choice:
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
        arms=(choose("swing", "swing", "swing", "raised", "bent"), choose("swing", "swing", "swing", "swing", "bent")),
        legs=choose("trousers", "trousers", "trousers", "skirt", "shorts"),
        hair=choose("short", "short", "long", "hat"),
        bag=choose("", "", "", "hand", "back"),
        sleeves=choose("long", "long", "short") == "long",
        colours=(
            choose(*SKIN_COLOURS),
            choose(*HAIR_COLOURS),
            choose(*CLOTHES_COLOURS),
            choose(*TROUSERS_COLOURS),
            choose(*TROUSERS_COLOURS),
            choose(*CLOTHES_COLOURS),
        ),
    )


def draw_person(sketch: Sketch, subject: Person) -> None:
    """Draw a person, the parts farther from the camera first."""
    h, build = subject.height, subject.build * (0.95 if subject.child else 1.0)
    skin, hair, top, cloth, shoes, extra = subject.colours
    ahead_x, ahead_z, skull = sin(subject.yaw), -cos(subject.yaw), subject.head_radius

    def at(side: float, up: float, ahead: float) -> Point:
        """Return a point of the body, in body heights: to its left (negative) or right, above ground, ahead."""
        x, z = -side * ahead_z + ahead * ahead_x, side * ahead_x + ahead * ahead_z
        return subject.x + x * h, up * h, subject.z + z * h

    leg, hip, shoulder = (0.21, 0.045, 0.755) if subject.child else (0.237, 0.05, 0.815)
    rise = 2 * leg * cos(subject.stride) + 0.03
    far = 1 if ahead_x > 0 else -1
    skirt = subject.legs == "skirt"

    def draw_leg(side: int, dim: float) -> None:
        swing = subject.stride * side
        bend = 0.5 * abs(subject.stride) if swing < 0 else 0.0
        knee = at(side * hip, rise - leg * cos(swing), leg * sin(swing))
        ankle_up = rise - leg * (cos(swing) + cos(swing - bend))
        ankle_ahead = leg * (sin(swing) + sin(swing - bend))
        lower = cloth if subject.legs == "trousers" else skin
        sketch.add_limb(
            at(side * hip, rise, 0), knee, 0.052 * h * build, 0.042 * h, shade_colour(skin if skirt else cloth, dim)
        )
        sketch.add_limb(knee, at(side * hip, ankle_up, ankle_ahead), 0.04 * h, 0.028 * h, shade_colour(lower, dim))
        toe = at(side * hip * 1.2, max(ankle_up - 0.015, 0.012), ankle_ahead + 0.065)
        sketch.add_limb(at(side * hip, ankle_up, ankle_ahead), toe, 0.026 * h, 0.022 * h, shade_colour(shoes, dim))

    def draw_arm(side: int, dim: float) -> None:
        pose = subject.arms[side > 0]
        offset, swing = 0.105 * build, -0.8 * subject.stride * side
        start = at(side * offset, shoulder - 0.015, 0)
        if pose == "raised":
            elbow = at(side * (offset + 0.09), shoulder + 0.09, 0.02)
            hand = at(side * (offset + 0.06), shoulder + 0.25, 0.04)
        elif pose == "bent":
            elbow, hand = at(side * (offset + 0.05), shoulder - 0.16, 0), at(side * offset * 0.8, shoulder - 0.06, 0.13)
        else:
            up, ahead = shoulder - 0.165 * cos(swing), 0.165 * sin(swing)
            elbow = at(side * (offset + 0.03), up, ahead)
            hand = at(side * (offset + 0.03), up - 0.14 * cos(swing + 0.3), ahead + 0.14 * sin(swing + 0.3))
        sleeve = shade_colour(top, dim)
        sketch.add_limb(start, elbow, 0.036 * h, 0.031 * h, sleeve)
        sketch.add_limb(elbow, hand, 0.03 * h, 0.025 * h, sleeve if subject.sleeves else shade_colour(skin, dim))
        sketch.add_ellipse(hand, 0.024 * h, 0.026 * h, shade_colour(skin, dim))
        if subject.bag == "hand" and side > 0 and pose == "swing":
            x, y, z = hand
            sketch.add_trapezoid(
                x, z, (y - 0.17 * h, y - 0.03 * h), (0.07 * h * (0.5 + 0.5 * abs(ahead_x)), 0.035 * h), extra
            )

    def draw_back() -> None:
        """Draw long hair and backpack: behind the trunk of a person who comes, over that of one who goes."""
        if subject.hair == "long":
            crown = at(0, 1.0 - skull / h, -0.3 * skull / h)
            sketch.add_limb(crown, at(0, 1.0 - 2.4 * skull / h, -0.4 * skull / h), 0.85 * skull, 0.75 * skull, hair)
        if subject.bag == "back":
            sketch.add_limb(at(0, shoulder - 0.05, -0.09), at(0, rise + 0.1, -0.09), 0.06 * h, 0.075 * h, extra)

    away = ahead_z > 0.2
    draw_arm(far, 0.72)
    draw_leg(far, 0.75)
    draw_leg(-far, 1.0)
    if not away:
        draw_back()
    # the trunk is as wide as shoulders seen at this angle, and never flat
    broad = (0.06 + 0.055 * abs(ahead_z)) * h * build
    x, z = subject.x, subject.z
    low, high = (rise - 0.03) * h, (shoulder + 0.02) * h
    if skirt:
        sketch.add_trapezoid(x, z, ((rise - 0.2) * h, low + 0.1 * h), (1.25 * broad, 0.8 * broad), cloth)
    trunk = (
        *((x - broad * 0.82, low, z), (x + broad * 0.82, low, z), (x + broad, high - 0.06 * h, z)),
        *((x + broad * 0.6, high, z), (x - broad * 0.6, high, z), (x - broad, high - 0.06 * h, z)),
    )
    sketch.add_polygon(trunk, top)
    sketch.add_polygon((*trunk[1:4], (x + broad * 0.25, high, z), (x + broad * 0.25, low, z)), shade_colour(top, 0.78))
    if away:
        draw_back()
    crown = 1.0 - skull / h
    sketch.add_limb(at(0, shoulder, 0), at(0, crown - 0.03, 0.01), 0.03 * h, 0.028 * h, shade_colour(skin, 0.85))
    draw_head(sketch, subject, at(0, crown, 0), (ahead_x * skull, ahead_z * skull))
    draw_arm(-far, 1.0)


def draw_head(sketch: Sketch, subject: Person, skull: Point, ahead: tuple[float, float]) -> None:
    """Draw a skull covered with hair, and a face on its front, unless the person looks away."""
    x, y, z = skull
    r, (skin, hair, extra) = subject.head_radius, (subject.colours[0], subject.colours[1], subject.colours[5])
    look = (x + 0.35 * ahead[0], y - 0.22 * r, z)
    away = ahead[1] > 0.5 * r
    if away:
        sketch.add_ellipse(look, 0.7 * r, 0.75 * r, skin)
    sketch.add_ellipse(skull, 0.86 * r, r, hair)
    if not away:
        sketch.add_ellipse(look, 0.7 * r, 0.78 * r, skin)
    if subject.hair == "hat":
        sketch.add_ellipse((x, y + 0.45 * r, z), 0.88 * r, 0.55 * r, extra)
        brim = x - 0.5 * r, x + 0.5 * r + 0.5 * ahead[0]
        sketch.add_limb((brim[0], y + 0.3 * r, z), (brim[1], y + 0.3 * r, z), 0.14 * r, 0.14 * r, extra)
