"""The layout of lanes: lanes with the same clock form blocks, and each call of the program advances some blocks.

A clock is (seed, fold, step). Lanes must have the same one to share their mini-batches.
"""

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple


class BlockShape(NamedTuple):
    """The work of one device in one call: the number of blocks, and of lanes in each."""

    blocks: int
    lanes: int


def shape_for_width(lane_clocks: Sequence[Hashable], width: int, devices: int) -> BlockShape:
    """Choose a shape for `width` lanes on a device at once: blocks as wide as the largest clock fills."""
    largest = max(Counter(lane_clocks).values())
    lanes = min(width, next_power_of_two(math.ceil(largest / devices)))
    return BlockShape(width // lanes, lanes)


def halve_shape(shape: BlockShape) -> BlockShape:
    """Return a shape with half as many lanes at once."""
    return BlockShape(shape.blocks // 2, shape.lanes) if shape.blocks > 1 else BlockShape(1, shape.lanes // 2)


def next_power_of_two(minimum: int) -> int:
    """Return the smallest power of two that is at least `minimum`."""
    return 1 << (minimum - 1).bit_length()


def plan_calls(
    lane_clocks: Sequence[Hashable], shape: BlockShape, devices: int, processes: int = 1
) -> list[list[list[int]]]:
    """Group lanes into calls of blocks of lanes, by index; a block's lanes share a clock.

    Lanes spread evenly over devices, processes and calls. Blocks of one size go together, so that none waits long.
    """
    groups: dict[Hashable, list[int]] = {}
    for lane, clock in enumerate(lane_clocks):
        groups.setdefault(clock, []).append(lane)
    blocks_per_call = devices * shape.blocks
    parallel_blocks = blocks_per_call * processes
    rounds = math.ceil(len(lane_clocks) / (parallel_blocks * shape.lanes))
    largest = min(shape.lanes, math.ceil(len(lane_clocks) / (parallel_blocks * max(rounds, 1))))
    blocks = []
    for group in groups.values():
        count = math.ceil(len(group) / largest)
        blocks += [group[len(group) * i // count : len(group) * (i + 1) // count] for i in range(count)]
    blocks.sort(key=len, reverse=True)
    return [blocks[start : start + blocks_per_call] for start in range(0, len(blocks), blocks_per_call)]
