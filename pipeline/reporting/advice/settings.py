"""Settings in words: what a step writes into params.yaml, as its text names it."""

from collections.abc import Mapping
from typing import Any

from thalweg.config.write import format_inline
from thalweg.reporting.text import join_items


def format_setting(path: str, value: Any) -> str:
    """Format a setting as one line of params.yaml with a dotted path: `study.seeds: 4`."""
    return format_inline({path: value})[1:-1]


def format_settings(patch: Mapping[str, Any]) -> str:
    """Format the settings of a patch as code, for a sentence."""
    return join_items([f"`{format_setting(path, value)}`" for path, value in patch.items()], len(patch))
