"""Counts in words."""


def format_count(count: int, noun: str, plural: str = "") -> str:
    """Format `1 trial`, `1,024 trials`; `plural` is for nouns that need more than an s."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {plural or f'{noun}s'}"
