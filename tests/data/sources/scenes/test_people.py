"""People as they are drawn: their size by age and distance."""

from dataclasses import replace

import numpy as np
import pytest

from thalweg.data.sources.scenes.canvas import Camera, Sketch
from thalweg.data.sources.scenes.people import draw_person, sample_person


def test_adults_are_taller() -> None:
    def height(child: bool, draw: int) -> int:
        who = replace(sample_person(np.random.default_rng(draw), child, 0.0), z=5.0, arms=("swing", "swing"))
        sketch = Sketch(Camera(centre=0, horizon=0, focal=1000, height=3))
        draw_person(sketch, who)
        _, top, _, bottom = sketch.bounding_box()
        return bottom - top

    assert min(height(False, draw) for draw in range(50)) > 1.1 * max(height(True, draw) for draw in range(50))


def test_size_shrinks_with_distance() -> None:
    who = sample_person(np.random.default_rng(0), False, 1.0)
    sizes = []
    for z in (3.0, 6.0, 12.0):
        sketch = Sketch(Camera(centre=0, horizon=0, focal=1000, height=3))
        draw_person(sketch, replace(who, z=z))
        _, top, _, bottom = sketch.bounding_box()
        sizes.append((bottom - top) * z)
    assert sizes == pytest.approx([sizes[0]] * 3, rel=0.1)
