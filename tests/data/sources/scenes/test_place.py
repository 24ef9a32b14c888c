"""Places: where people stand in the picture, and what stands there."""

import pytest

from thalweg.data.sources.scenes.canvas import Sketch
from thalweg.data.sources.scenes.furniture import draw_car
from thalweg.data.sources.scenes.place import BACKDROPS, Place, build_place, draw_park

SIZE = (48, 64)
PLACES = [build_place(5, number, SIZE) for number in range(len(BACKDROPS))]


@pytest.mark.parametrize("place", PLACES)
def test_people_stand_where_they_can_be_seen(place: Place) -> None:
    """The farthest adult of 1.7 m is a fifth of the image high; the feet of the nearest are 3 % below its edge."""
    sketch, height = Sketch(place.camera), place.size[1]
    (_, head, _), (_, feet, _) = (sketch.project_point((0.0, y, place.far)) for y in (1.7, 0.0))
    assert feet - head == pytest.approx(height / 5)
    assert sketch.project_point((0.0, 0.0, place.near))[1] == pytest.approx(1.03 * height)
    assert place.near < place.far


@pytest.mark.parametrize(("size", "fine"), [((48, 64), 4), ((96, 200), 3), ((200, 300), 2)])
def test_small_images_are_drawn_finer(size: tuple[int, int], fine: int) -> None:
    place = build_place(5, 0, size)
    assert (place.supersampling, place.size) == (fine, (size[1] * fine, size[0] * fine))
    assert place.backdrop.size == (place.size[0] + place.size[0] // 4, place.size[1])


def test_place_follows_seed_and_number() -> None:
    """Three kinds of backdrop take turns, and the fourth place is not the first."""
    backdrops = [build_place(5, number, SIZE).backdrop.tobytes() for number in range(4)]
    assert len(set(backdrops)) == 4
    assert build_place(5, 1, SIZE).backdrop.tobytes() == backdrops[1]
    assert build_place(6, 1, SIZE).backdrop.tobytes() != backdrops[1]


def test_no_car_drives_in_a_park() -> None:
    for place, backdrop in zip(PLACES, BACKDROPS, strict=True):
        assert any(item.draw is draw_car for item in place.furniture) == (backdrop is not draw_park)
