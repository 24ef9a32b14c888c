"""Drawn scenes of people in streets, squares and parks, whose truth is known exactly."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import cos, pi, sin
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pydantic import Field, Strict, model_validator

from pipeline.data.drawing import (
    BACKDROPS,
    CLUTTER,
    PAINTS,
    WALL,
    Camera,
    Colour,
    Furniture,
    Person,
    Sketch,
    Solids,
    car,
    figure,
    park,
    passer_by,
)
from pipeline.data.examples import Examples, Labels, Reading, Source

TRIES = 30
"""How many spots are tried for a person or an object before the least bad one is taken."""

HIDDEN = 0.3
"""The share of a head that what stands in front of it may hide."""

Rect = tuple[float, float, float, float]

Pixels = Annotated[int, Field(ge=24, le=512)]
Few = Annotated[int, Field(ge=0, le=30)]


class Scenes(Source):
    """People among street furniture, drawn in perspective: adults and children who stand, walk, wave and carry bags.

    A group is a place: its camera, ground, buildings and the direction of its light. Weather, people and objects differ
    from scene to scene. Scene i of a seed is the same however many are drawn.
    """

    kind: Literal["scenes"] = "scenes"
    examples: int = Field(2400, ge=1, le=100_000, description="how many images")
    size: Annotated[tuple[Pixels, Pixels], Strict(False)] = Field((48, 48), description="height and width in pixels")
    people: Annotated[tuple[Few, Few], Strict(False)] = Field((0, 10), description="fewest and most people in an image")
    children: float = Field(0.3, ge=0, le=1, description="the share of people who are children")
    clutter: Annotated[tuple[Few, Few], Strict(False)] = Field(
        (1, 5), description="fewest and most objects beside them"
    )
    places: int = Field(20, ge=1, le=100, description="how many places the scenes are spread over")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for name in ("people", "clutter"):
            fewest, most = getattr(self, name)
            if fewest > most:
                raise ValueError(f"{name}: the fewest ({fewest}) come first, then the most ({most})")
        return self

    def read(self, path: Path, seed: int) -> Reading:  # noqa: ARG002
        """Draws every scene in memory; `path` is not looked at."""
        places = [find_place(seed, number, self.size) for number in range(self.places)]
        scenes = [compose(self, places, seed, index) for index in range(self.examples)]
        drawn = [paint(scene) for scene in scenes]
        examples = Examples(
            images=np.stack([pixels for pixels, _ in drawn]),
            names=np.array([f"scene-{index:05d}" for index in range(self.examples)]),
            groups=np.array([scene.place.name for scene in scenes]),
            split=np.full(self.examples, ""),
            labels=labels([seen for _, seen in drawn]),
            classes=("adult", "child"),
        )
        return Reading(examples)


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


class Thing(NamedTuple):
    """An object on the ground at (x, z), in its colour."""

    what: Furniture
    x: float
    z: float
    tone: Colour

    @property
    def solids(self) -> Solids:
        return self.what.solids


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


class Seen(NamedTuple):
    """A person in an image: head x, y; box x0, y0, x1, y1 of all of the body that is inside the frame."""

    child: bool
    head: tuple[float, float]
    box: tuple[float, float, float, float]


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
        name=f"place-{number:02d}",
        camera=camera,
        fine=fine,
        size=(width, height),
        backdrop=Image.fromarray(pixels),
        furniture=tuple(what for what in CLUTTER if not (setting is park and what.draw is car)),
        light=light,
        near=near,
        far=far,
    )


def compose(options: Scenes, places: Sequence[Place], seed: int, index: int) -> Scene:
    """Scene `index` of `seed`: where, in which weather, with whom."""
    rng = np.random.default_rng((seed, 1, index))
    place = places[int(rng.integers(len(places)))]
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


class Stand(NamedTuple):
    """What a person or an object takes up: ground at (x, z), `wide` to each side, in metres; in pixels, what it hides,
    and a person's head."""

    x: float
    z: float
    wide: float
    hides: tuple[Rect, ...]
    head: Rect | None


def stand(camera: Camera, who: Thing | Person) -> Stand:
    sketch = Sketch(camera)

    def rect(wide: float, low: float, high: float) -> Rect:
        x, y, scale = sketch.project((who.x, high, who.z))
        return x - wide * scale, y, x + wide * scale, y + (high - low) * scale

    head = rect(who.skull, who.height - 2 * who.skull, who.height) if isinstance(who, Person) else None
    return Stand(who.x, who.z, who.solids[0][0], tuple(rect(*solid) for solid in who.solids), head)


def clash(a: Stand, b: Stand) -> float:
    """The share of the farther one's head that the nearer one hides; 1 where they would stand in one another."""
    if abs(a.x - b.x) < a.wide + b.wide and abs(a.z - b.z) < 0.5:
        return 1.0
    front, behind = (a, b) if a.z < b.z else (b, a)
    if behind.head is None:
        return 0.0
    x0, y0, x1, y1 = behind.head
    shared = [
        max(0.0, min(x1, right) - max(x0, left)) * max(0.0, min(y1, low) - max(y0, top))
        for left, top, right, low in front.hides
    ]
    return max(shared) / ((x1 - x0) * (y1 - y0))


Member = TypeVar("Member", Thing, Person)


def arrange(
    options: Scenes, place: Place, camera: Camera, rng: np.random.Generator
) -> tuple[list[Thing], list[Person]]:
    """Objects and people, where no head is hidden by more than `HIDDEN`, or as near to that as `TRIES` spots come."""
    taken: list[Stand] = []
    things: list[Thing] = []
    people: list[Person] = []
    width = place.size[0]

    def anywhere(near: float, far: float) -> tuple[float, float]:
        """A spot on the ground, evenly over the rows and columns of the picture."""
        u, v = rng.random(2).tolist()
        z = 1 / ((1 - u) / near + u / far)
        return (width * (0.03 + 0.94 * v) - camera.centre) * z / camera.focal, z

    def beside(other: Person) -> tuple[float, float]:
        """A spot next to someone, inside the frame."""
        u, v = rng.random(2).tolist()
        z = min(max(other.z + 0.8 * u - 0.4, place.near), place.far)
        scale = camera.focal / z
        column = camera.centre + (other.x + (0.65 if v < 0.5 else -0.65)) * scale
        return (min(max(column, 0.03 * width), 0.97 * width) - camera.centre) / scale, z

    def settle(move: Callable[[], Member]) -> Member:
        tried: list[tuple[float, Member, Stand]] = []
        for _ in range(TRIES):
            who = move()
            spot = stand(camera, who)
            tried.append((max((clash(spot, other) for other in taken), default=0.0), who, spot))
            if tried[-1][0] <= HIDDEN:
                break
        _, who, spot = min(tried, key=lambda item: item[0])
        taken.append(spot)
        return who

    for _ in range(rng.integers(options.clutter[0], options.clutter[1] + 1)):
        what, tone = place.furniture[rng.integers(len(place.furniture))], PAINTS[rng.integers(len(PAINTS))]

        def put(what: Furniture = what, tone: Colour = tone) -> Thing:
            near = place.near + what.back * (place.far - place.near)
            return Thing(what, *anywhere(near, place.far + 0.8), tone)

        things.append(settle(put))
    for _ in range(rng.integers(options.people[0], options.people[1] + 1)):
        other = people[rng.integers(len(people))] if people and rng.random() < 0.4 else None
        yaw = other.yaw if other else float(rng.uniform(-pi, pi))
        who = passer_by(rng, bool(rng.random() < options.children), yaw)

        def move(who: Person = who, other: Person | None = other) -> Person:
            x, z = beside(other) if other and rng.random() < 0.7 else anywhere(place.near, place.far)
            return replace(who, x=x, z=z)

        people.append(settle(move))
    return things, people


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


def labels(seen: Sequence[Sequence[Seen]]) -> Labels:
    """What is known of each image, padded to the most people in any of them."""
    shape = len(seen), max(map(len, seen))
    points, boxes = np.zeros((*shape, 2), np.float32), np.zeros((*shape, 4), np.float32)
    kinds, present = np.zeros(shape, np.int32), np.zeros(shape, bool)
    for row, people in enumerate(seen):
        for slot, who in enumerate(people):
            points[row, slot], boxes[row, slot] = who.head, who.box
            kinds[row, slot], present[row, slot] = who.child, True
    count = present.sum(1).astype(np.float32)
    return {"count": count, "points": points, "boxes": boxes, "kinds": kinds, "present": present}
