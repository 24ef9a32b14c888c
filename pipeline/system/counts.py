"""Counts and lists in words."""

from collections.abc import Sequence


def format_count(count: int, noun: str, plural: str = "") -> str:
    """Format `1 trial`, `1,024 trials`; `plural` is for nouns that need more than an s."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {plural or f'{noun}s'}"


def join_first(items: Sequence[str], limit: int = 5) -> str:
    """Return the first items as a list for a message, with an ellipsis for the others."""
    return ", ".join(items[:limit]) + (", …" if len(items) > limit else "")
