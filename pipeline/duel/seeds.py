"""The seeds of a comparison as a user writes them: `5..16`, `1,2,3`, or both."""

import re

from thalweg.stats.sequential import FIRST_LOOK
from thalweg.system.files import UserError

MAX_SEEDS = 1_000


def parse_seeds(text: str) -> list[int]:
    """Parse seeds in the order in which they run. Raises `UserError`."""
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:\.\.\s*(\d+)\s*)?", part)
        if match is None:
            raise UserError(f"--seeds: '{text}' must be a range such as 5..16, or numbers such as 1,2,3")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise UserError(f"--seeds: {part.strip()} ends before it begins")
        if last - first >= MAX_SEEDS:
            raise UserError(f"--seeds: at most {MAX_SEEDS:,} seeds, not {last - first + 1:,}")
        seeds += range(first, last + 1)
    if repeated := sorted({seed for seed in seeds if seeds.count(seed) > 1}):
        raise UserError(f"--seeds: {repeated[0]} stands there twice")
    if len(seeds) < FIRST_LOOK:
        raise UserError(f"--seeds: at least {FIRST_LOOK} are needed for a decision, not {len(seeds)}")
    return seeds


def format_seeds(seeds: list[int]) -> str:
    """Format seeds as `parse_seeds` reads them."""
    parts: list[list[int]] = []
    for seed in seeds:
        if parts and seed == parts[-1][-1] + 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    return ",".join(f"{part[0]}..{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)
