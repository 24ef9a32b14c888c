"""The Python API: run a study from a notebook or a script, and read what it found. Its names are in `thalweg` itself.

Nothing here imports JAX: all that trains or predicts runs in processes of its own, as the command line does.
"""

import importlib
from typing import Any

from thalweg.system import installed

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
    """Import a name of the API. Raises `AttributeError` for another one, as an attribute of `thalweg` does.

    Raises `UserError` where what it trains with is not installed.
    """
    if name not in HOMES:
        raise AttributeError(f"module 'thalweg' has no attribute '{name}'")
    if HOMES[name].startswith(f"{__name__}."):
        installed.require_training(f"thalweg.{name}")
    return getattr(importlib.import_module(HOMES[name]), name)
