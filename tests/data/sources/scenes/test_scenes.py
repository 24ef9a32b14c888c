"""The truth of drawn scenes is exact, and nothing but the seed and the options decides what is drawn."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from thalweg.data.examples import Examples
from thalweg.data.sources import scenes
from thalweg.data.sources.scenes import Scenes, compose_scene
from thalweg.data.sources.scenes.scene import Scene, paint_scene
from thalweg.system import runtime

NOWHERE = Path("nowhere")


def draw_scenes(seed: int, **options: object) -> Examples:
    return Scenes.model_validate({"examples": 12, "places": 4, **options}).read_examples(NOWHERE, seed).examples


def draw_scene(seed: int, **options: object) -> Scene:
    return compose_scene(Scenes.model_validate({"places": 1, **options}), seed, 0)


def assert_same(a: Examples, b: Examples) -> None:
    """Equal in all but how far the labels are padded."""
    assert a.images.tobytes() == b.images.tobytes()
    assert a.names.tolist() == b.names.tolist()
    assert a.groups.tolist() == b.groups.tolist()
    assert np.array_equal(a.labels["count"], b.labels["count"])
    for name in ("points", "boxes", "kinds", "present"):
        assert np.array_equal(a.labels[name][a.labels["present"]], b.labels[name][b.labels["present"]]), name


def test_same_seed_gives_same_bytes() -> None:
    assert_same(draw_scenes(3), draw_scenes(3))


def test_scenes_independent_of_their_number() -> None:
    assert_same(draw_scenes(3, examples=5), draw_scenes(3, examples=12).take_rows(np.arange(5)))


@pytest.mark.parametrize("cores", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_parts_give_same_bytes(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In parts of a few scenes, in this process or in others."""
    reference = draw_scenes(3)
    monkeypatch.setattr(runtime, "count_cores", lambda: cores)
    monkeypatch.setattr(scenes, "MANY_SCENES", 1)
    monkeypatch.setattr(scenes, "PART_SCENES", 5)
    assert_same(reference, draw_scenes(3))


def test_other_seed_other_scenes() -> None:
    a, b = draw_scenes(3), draw_scenes(4)
    assert all((x != y).any() for x, y in zip(a.images, b.images, strict=True))
    empty = {"people": (0, 0), "clutter": (0, 0), "places": 1, "examples": 1}
    assert np.abs(draw_scenes(3, **empty).images.astype(int) - draw_scenes(4, **empty).images).mean() > 10


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**63),
    size=st.tuples(st.integers(24, 100), st.integers(24, 100)),
    people=st.tuples(st.integers(0, 12), st.integers(0, 12)).map(sorted),
    clutter=st.tuples(st.integers(0, 6), st.integers(0, 6)).map(sorted),
    children=st.sampled_from([0.0, 0.4, 1.0]),
)
def test_labels_agree_with_options(
    seed: int, size: tuple[int, int], people: tuple[int, int], clutter: tuple[int, int], children: float
) -> None:
    drawn = draw_scenes(seed, examples=3, places=2, size=size, people=people, clutter=clutter, children=children)
    height, width = size
    assert drawn.images.shape == (3, height, width, 3)
    assert drawn.images.dtype == np.uint8
    assert drawn.classes == ("adult", "child")
    assert drawn.split.tolist() == [""] * 3
    assert set(drawn.groups) <= {"place-00", "place-01"}
    label = drawn.labels
    assert set(label) == {"count", "points", "boxes", "kinds", "present"}
    types = {"count": np.float32, "points": np.float32, "boxes": np.float32, "kinds": np.int32, "present": np.bool_}
    assert {name: values.dtype.type for name, values in label.items()} == types
    assert (label["count"] == label["present"].sum(1)).all()
    assert label["present"].shape[1] == label["count"].max()
    assert people[0] <= label["count"].min()
    assert label["count"].max() <= people[1]
    x, y = np.moveaxis(label["points"], -1, 0)
    x0, y0, x1, y1 = np.moveaxis(label["boxes"], -1, 0)
    inside = (x0 >= 0) & (x0 <= x) & (x <= x1) & (x1 <= width) & (y0 >= 0) & (y0 <= y) & (y <= y1) & (y1 <= height)
    assert inside.all()
    assert ((x1 > x0) & (y1 > y0))[label["present"]].all()
    for name in ("points", "boxes", "kinds"):
        assert not label[name][np.logical_not(label["present"])].any()
    if children in (0.0, 1.0):
        assert (label["kinds"][label["present"]] == children).all()


def test_all_counts_and_classes_occur() -> None:
    label = draw_scenes(1, examples=120, size=(24, 24), people=(2, 5)).labels
    assert set(label["count"]) == {2, 3, 4, 5}
    children = label["kinds"][label["present"]].mean()
    assert 0.2 < children < 0.4


def test_people_change_only_their_area() -> None:
    for seed in range(6):
        scene = replace(draw_scene(seed, people=(4, 8)), shadow_darkness=0.0)
        people, bare = paint_scene(scene), paint_scene(replace(scene, people=()))
        assert len(people[1]) == len(scene.people)
        assert bare[1] == []
        outside = np.ones(people[0].shape[:2], bool)
        for who in people[1]:
            x0, y0, x1, y1 = who.box
            outside[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = False
        changed = (people[0] != bare[0]).any(-1)
        assert changed.any()
        assert not (changed & outside).any()


def test_boxes_are_tight_to_a_pixel() -> None:
    for seed in range(6):
        scene = draw_scene(seed, people=(1, 1), clutter=(0, 0), size=(96, 96))
        alone = replace(scene, shadow_darkness=0.0, noise=np.zeros_like(scene.noise), tint=(1.0, 1.0, 1.0))
        rows, columns = np.nonzero((paint_scene(alone)[0] != paint_scene(replace(alone, people=()))[0]).any(-1))
        x0, y0, x1, y1 = paint_scene(alone)[1][0].box
        painted = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        assert (np.abs(painted - [x0, y0, x1, y1]) <= 1.5).all()


def test_shadows_fall_away_from_light() -> None:
    scene = draw_scene(2, people=(1, 1), clutter=(0, 0), size=(96, 96))
    middle = replace(
        scene.people[0], x=-(scene.camera.centre - scene.place.size[0] / 2) / scene.camera.focal * 6, z=6.0
    )
    scene = replace(scene, people=(middle,), noise=np.zeros_like(scene.noise))
    for light in ((1.0, 0.0), (-1.0, 0.0)):
        lit = replace(scene, light=light, shadow_darkness=0.5)
        dark, plain = paint_scene(lit)[0].astype(int), paint_scene(replace(lit, shadow_darkness=0.0))[0].astype(int)
        assert (dark <= plain).all()
        _, columns = np.nonzero((dark < plain).any(-1))
        assert np.sign(columns.mean() - paint_scene(lit)[1][0].head[0]) == light[0]


@pytest.mark.slow
def test_nobody_is_fully_hidden() -> None:
    for seed in range(40):
        scene = draw_scene(seed, people=(8, 12), clutter=(0, 6))
        whole, spots = paint_scene(scene)
        from_far = sorted(scene.people, key=lambda who: -who.z)
        for who, spot in zip(from_far, spots, strict=True):
            without = paint_scene(replace(scene, people=tuple(other for other in scene.people if other is not who)))[0]
            x0, y0, x1, y1 = spot.box
            part = np.s_[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))]
            assert (whole[part] != without[part]).any(-1).sum() >= 2


def test_zero_people_leave_empty_labels() -> None:
    label = draw_scenes(1, people=(0, 0)).labels
    assert not label["count"].any()
    assert label["points"].shape == (12, 0, 2)
    assert label["boxes"].shape == (12, 0, 4)


@pytest.mark.parametrize(
    "options", [{"people": (5, 2)}, {"clutter": (3, 1)}, {"size": (8, 48)}, {"people": (0, 99)}, {"examples": 0}]
)
def test_impossible_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Scenes.model_validate(options)


def test_options_accept_yaml_lists() -> None:
    assert Scenes.model_validate({"kind": "scenes", "size": [64, 80], "people": [1, 3]}).size == (64, 80)
