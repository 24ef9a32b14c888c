"""Numbers and lists in words."""

import math
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from thalweg.system.counts import format_count as format_count  # with the other formats of the report

SMALLEST_FIXED, LARGEST_FIXED = 1e-5, 1e9
"""Sizes of numbers between which an interval has no power of ten."""


def is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN or NaT."""
    return value is None or (not isinstance(value, (list, tuple, dict)) and bool(pd.isna(value)))


def choice_key(value: Any) -> Any:
    """Return the identity of a choice: 8, 8.0 and "8" are one, as tables may hold any; 0.1234 and 0.1235 are two."""
    if isinstance(value, bool) or is_missing(value):
        return str(value)
    try:
        real = float(value)
    except (TypeError, ValueError):
        return str(value)
    return real if math.isfinite(real) else str(value)


def format_choices(choices: Sequence[Any]) -> list[str]:
    """Format choices, numbers with three digits or as many as make them differ."""
    for digits in range(3, 18):
        labels = [format_number(choice, digits) for choice in choices]
        if len(set(labels)) == len({choice_key(choice) for choice in choices}):
            break
    return labels if len(choices) else []


def format_levels(ends: Sequence[tuple[float, float]], digits: int) -> list[str]:
    """Format the ends of the levels of a range, with `digits` or as many as make different ends differ."""
    values = {end for level in ends for end in level}
    digits = next(
        (more for more in range(digits, 18) if len({format_number(value, more) for value in values}) == len(values)), 17
    )
    return [format_range(format_number(low, digits), format_number(high, digits)) for low, high in ends]


def format_number(value: Any, digits: int = 3) -> str:
    """Format a number with `digits` significant digits: 0.0316, 1,024, 2.1e-7; keep text; missing is an en dash.

    Whole numbers keep all their digits. Exact numbers have no trailing zeros (0.1, not 0.100). A minus is U+2212.
    """
    if is_missing(value):
        return "–"
    if isinstance(value, (bool, str)) or (not isinstance(value, (int, float)) and not hasattr(value, "dtype")):
        return str(value)
    real = float(value)
    if math.isinf(real):
        return "∞" if real > 0 else "−∞"
    size = abs(real)
    if real == int(real) and size < 1e7:
        text = f"{int(size):,}"
    elif size < 1e-4 or size >= 1e7:
        mantissa, exponent = f"{size:.{digits - 1}e}".split("e")
        text = f"{mantissa}e{int(exponent)}".replace("-", "−")
    else:
        text = f"{size:,.{max(0, digits - 1 - math.floor(math.log10(size)))}f}"
    if "." in text and "e" not in text and float(f"{size:.{digits}g}") == size:
        text = text.rstrip("0").rstrip(".")
    return f"−{text}" if real < 0 and text.strip("0.") else text


def format_fixed(value: float, decimals: int, signed: bool = False) -> str:
    """Format a number with `decimals` decimals, or more to keep it from showing 0; `signed` shows the plus too."""
    text = f"{abs(value):,.{decimals}f}"
    if not text.strip("0.,"):
        if not value:
            return text
        text = format_number(abs(value), 1)
    return f"−{text}" if value < 0 else f"+{text}" if signed else text


def count_decimals(width: float) -> int:
    """Return how many decimals show two significant digits of an uncertainty."""
    return 3 if not width or not math.isfinite(width) else min(8, max(0, 1 - math.floor(math.log10(abs(width)))))


def _divide_by_power(value: float, power: int) -> float:
    """Divide by a power of ten, which itself may be too small for a float."""
    digits, _, exponent = f"{value:e}".partition("e")
    return float(f"{digits}e{int(exponent) - power}")


def format_interval(mean: float, low: float, high: float, signed: bool = False, min_places: int = 0) -> str:
    """Format `0.83 (0.80 to 0.86)`: decimals fit the interval's width.

    Up to two more keep an end from showing 0, and the mean from showing a number that is off by over a quarter.
    Very large and very small numbers have a common power of ten: `2.5e12 (2.0e12 to 3.1e12)`.
    """
    size = max(abs(mean), abs(low), abs(high))
    if math.isfinite(size) and size and not SMALLEST_FIXED <= size < LARGEST_FIXED:
        power = math.floor(math.log10(size))
        scaled = [_divide_by_power(end, power) for end in (mean, low, high)]
        text = format_interval(scaled[0], scaled[1], scaled[2], signed)
        return re.sub(r"[\d.,]*\d", lambda number: f"{number[0]}e{power}".replace("-", "−"), text)
    places = max(min_places, count_decimals((high - low) / 2))

    def is_faithful(digits: int) -> bool:
        is_end_lost = any(end and round(end, digits) == 0 for end in (low, high))
        return not is_end_lost and abs(round(mean, digits) - mean) <= abs(mean) / 4

    places += next((extra for extra in (0, 1) if is_faithful(places + extra)), 2)
    shown = [format_fixed(value, places, signed) for value in (mean, low, high)]
    return format_estimate(*shown)


def format_change(mean: float, low: float, high: float) -> str:
    """Format a change, positive if worse: `0.1 worse (0.0 to 0.2)`; ends on both sides of 0 have their own words."""
    direction, other = ("worse", "better") if mean >= 0 else ("better", "worse")
    low, high = (low, high) if mean >= 0 else (-high, -low)
    shown, space, interval = format_interval(abs(mean), low, high).partition(" ")
    if low < 0 < high:
        low_text, _, high_text = interval.strip("()").partition(" to ")
        interval = f"({low_text.removeprefix('−')} {other} to {high_text} {direction})"
    return f"{shown} {direction}{space}{interval}"


def format_range(low: str, high: str) -> str:
    """Format `3 to 5`, or `3` if both ends are the same."""
    return low if low == high else f"{low} to {high}"


def format_estimate(value: str, low: str, high: str, unit: str = "") -> str:
    """Format `64 % (11 to 89 %)` from numbers in words; the value alone if its interval has equal ends."""
    return f"{value}{unit}" if low == high else f"{value}{unit} ({low} to {high}{unit})"


def format_code(name: str) -> str:
    """Put a name, or `name: value`, in backticks: page and Markdown show it as code. Unchanged if it could end them."""
    return f"`{name}`" if re.fullmatch(r"[\w.-]+(: [\w.+-]+)?", name) else name


def format_percent(share: float, whole: bool = False) -> str:
    """Format a share: `3.2 %`, `0.041 %`, `less than 0.01 %`; `whole` drops decimals from 1 % on.

    Only the whole is `100 %`, and only nothing is `0 %`.
    """
    if math.isnan(share):
        return format_number(share)
    if 0 < share < 1e-4 or 1 - 1e-4 < share < 1:
        return "less than 0.01 %" if share < 0.5 else "more than 99.99 %"
    is_nearly_all = 0.995 <= share < 1
    if whole and share >= 0.01 and not is_nearly_all:
        return f"{100 * share:.0f} %"
    return f"{format_number(100 * share, 4 if is_nearly_all else 2)} %"


def format_percent_estimate(share: float, low: float, high: float) -> str:
    """Format a share with its interval: `37 % (20 to 55)`."""
    mean, first, last = (format_percent(value, whole=True).removesuffix(" %") for value in (share, low, high))
    return format_estimate(mean, first, last, " %")


def capitalise_first(text: str) -> str:
    """Capitalise the first letter of a sentence; leave the others."""
    return text[:1].upper() + text[1:]


def join_items(items: Sequence[Any], max_items: int = 8) -> str:
    """Join `3, 17 and 22`; `3, 17, 22 and 5 more` beyond `max_items`."""
    shown = [str(item) for item in items[:max_items]]
    hidden = len(items) - len(shown)
    if hidden:
        return f"{', '.join(shown)} and {hidden:,} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else "none"


def format_share(count: int, total: int, noun: str = "") -> str:
    """Format `3 of 48 (6 %)`, `all 48`, or with a noun `3 of 48 trials (6 %)`."""
    total_text = format_count(total, noun) if noun else f"{total:,}"
    if count == total > 1:
        return f"all {total_text}"
    percent = "" if count == total else f" ({format_percent(count / total, whole=True)})"
    return f"{count:,} of {total_text}{percent}" if total else "none"
