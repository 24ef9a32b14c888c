"""The Python API: run a study from a notebook or a script, and read what it found. Its names are in `thalweg` itself.

Nothing here imports JAX: all that trains or predicts runs in processes of its own, as the command line does.
"""

import importlib
from typing import Any

HOMES = {
    "run": "thalweg.api.run",
    "load": "thalweg.api.study",
    "Data": "thalweg.api.data",
    "Study": "thalweg.api.study",
    "Best": "thalweg.api.study",
    "Finding": "thalweg.reporting.finding",
    "Report": "thalweg.api.report",
    "UserError": "thalweg.system.files",
}
"""The names of the API, each with its module."""


def import_name(name: str) -> Any:
    """Import a name of the API. Raises `AttributeError` for another one, as an attribute of `thalweg` does."""
    if name not in HOMES:
        raise AttributeError(f"module 'thalweg' has no attribute '{name}'")
    return getattr(importlib.import_module(HOMES[name]), name)
