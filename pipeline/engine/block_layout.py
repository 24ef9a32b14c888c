"""How lanes are laid out: blocks of lanes that share a clock, so many of them on a device in a call of the program.

A clock is what lanes must have in common to share their mini-batches: seed, fold and step.
"""

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple


class BlockShape(NamedTuple):
    """What a device does in one call: so many blocks, each of so many lanes."""

    blocks: int
    lanes: int


def shape_for_width(lane_clocks: Sequence[Hashable], width: int, devices: int) -> BlockShape:
    """`width` lanes on a device at once: blocks as wide as lanes of one clock fill, as many as there is room for."""
    largest = max(Counter(lane_clocks).values())
    lanes = min(width, next_power_of_two(math.ceil(largest / devices)))
    return BlockShape(width // lanes, lanes)


def halve_shape(shape: BlockShape) -> BlockShape:
    """Half as many lanes at once."""
    return BlockShape(shape.blocks // 2, shape.lanes) if shape.blocks > 1 else BlockShape(1, shape.lanes // 2)


def next_power_of_two(minimum: int) -> int:
    """The smallest power of two that is not below `minimum`."""
    return 1 << (minimum - 1).bit_length()


def plan_calls(
    lane_clocks: Sequence[Hashable], shape: BlockShape, devices: int, processes: int = 1
) -> list[list[list[int]]]:
    """Lanes, each with its clock, as calls of blocks of lanes: a block's lanes share a clock.

    Lanes are spread evenly over devices, processes and calls, blocks of one size side by side, so that none waits long.
    """
    groups: dict[Hashable, list[int]] = {}
    for lane, clock in enumerate(lane_clocks):
        groups.setdefault(clock, []).append(lane)
    side_by_side = devices * shape.blocks
    at_once = side_by_side * processes
    fewest = math.ceil(len(lane_clocks) / (at_once * shape.lanes))
    most = min(shape.lanes, math.ceil(len(lane_clocks) / (at_once * max(fewest, 1))))
    blocks = []
    for group in groups.values():
        parts = math.ceil(len(group) / most)
        blocks += [group[len(group) * i // parts : len(group) * (i + 1) // parts] for i in range(parts)]
    blocks.sort(key=len, reverse=True)
    return [blocks[start : start + side_by_side] for start in range(0, len(blocks), side_by_side)]
