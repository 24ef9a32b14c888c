"""Counts and lists in words."""

from collections.abc import Sequence


def format_count(count: int, noun: str, plural: str = "") -> str:
    """Format `1 trial`, `1,024 trials`; `plural` is for nouns that need more than an s."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {plural or f'{noun}s'}"


def join_first(items: Sequence[str], limit: int = 5) -> str:
    """Return the first items as a list for a message, with an ellipsis for the others."""
    return ", ".join(items[:limit]) + (", …" if len(items) > limit else "")


def format_more(items: Sequence[object]) -> str:
    """Format ` (and 3 more)`, for a message that names the first item; '' if it is the only one."""
    return f" (and {len(items) - 1:,} more)" if len(items) > 1 else ""


def format_duration(seconds: float) -> str:
    """Format `42 s`, `7 min`, `2.5 h`."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 99.5 * 60 else f"{seconds / 3600:.1f} h"


def format_elapsed(seconds: float) -> str:
    """Format a time that goes on: `42 s`, `2 min 5 s`, from ten minutes on as `format_duration`."""
    if not 60 <= round(seconds) < 600:
        return format_duration(seconds)
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def format_bytes(count: int) -> str:
    """Format `512 bytes`, `13.8 MB`."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return format_count(count, "byte")
