"""How lanes are laid out for a device."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.engine import block_layout
from thalweg.engine.block_layout import BlockShape


@settings(derandomize=True)
@given(
    clocks=st.lists(st.integers(0, 4), min_size=1, max_size=60),
    shape=st.builds(BlockShape, st.integers(1, 4), st.integers(1, 8)),
    devices=st.integers(1, 8),
)
def test_calls_cover_every_lane_once(clocks: list[int], shape: BlockShape, devices: int) -> None:
    calls = block_layout.plan_calls(clocks, shape, devices)
    assert sorted(lane for call in calls for block in call for lane in block) == list(range(len(clocks)))
    for call in calls:
        assert 1 <= len(call) <= devices * shape.blocks
        for block in call:
            assert 1 <= len(block) <= shape.lanes
            assert len({clocks[lane] for lane in block}) == 1


@pytest.mark.parametrize(
    ("lanes", "shape", "devices", "sizes"),
    [
        (6, BlockShape(1, 8), 2, [[3, 3]]),
        (1, BlockShape(1, 8), 2, [[1]]),
        (20, BlockShape(1, 8), 2, [[5, 5], [5, 5]]),
        (6, BlockShape(1, 8), 8, [[1, 1, 1, 1, 1, 1]]),
        (100, BlockShape(1, 64), 1, [[50], [50]]),
        (9, BlockShape(4, 1), 2, [[1] * 8, [1]]),
    ],
)
def test_lanes_are_spread_evenly(lanes: int, shape: BlockShape, devices: int, sizes: list[list[int]]) -> None:
    calls = block_layout.plan_calls([0] * lanes, shape, devices)
    assert [[len(block) for block in call] for call in calls] == sizes


@pytest.mark.parametrize(
    ("clocks", "width", "devices", "shape"),
    [
        ([0] * 7, 8, 1, BlockShape(1, 8)),
        ([0] * 7, 4, 1, BlockShape(1, 4)),
        ([0] * 7, 8, 2, BlockShape(2, 4)),
        ([0, 1, 2, 2, 2], 8, 1, BlockShape(2, 4)),
        ([0, 1, 2], 4, 1, BlockShape(4, 1)),
        ([0], 1, 4, BlockShape(1, 1)),
    ],
)
def test_shape_prefers_wide_blocks(clocks: list[int], width: int, devices: int, shape: BlockShape) -> None:
    assert block_layout.shape_for_width(clocks, width, devices) == shape


def test_halving_drops_blocks_first() -> None:
    assert [block_layout.halve_shape(shape) for shape in (BlockShape(4, 8), BlockShape(1, 8))] == [
        BlockShape(2, 8),
        BlockShape(1, 4),
    ]
