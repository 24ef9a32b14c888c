"""Thalweg: declarative hyperparameter studies of neural networks.

Importing the package sets the environment variables of XLA and BLAS (`thalweg.system.runtime`). The Python API is
imported when it is used: most processes are stages, and need none of it.
"""

import importlib
import os
from typing import Any

if __name__ != "thalweg":
    raise ImportError("import thalweg, not the folder pipeline; a second name would load every module twice")

from thalweg.system.runtime import configure_blas, configure_xla
from thalweg.system.version import VERSION as __version__  # noqa: N811  the name that Python's tools look for

API = {
    "run": "thalweg.api.run",
    "load": "thalweg.api.study",
    "Data": "thalweg.api.data",
    "Study": "thalweg.api.study",
    "Best": "thalweg.api.study",
    "Finding": "thalweg.reporting.finding",
    "Report": "thalweg.api.report",
    "UserError": "thalweg.system.files",
}
"""The names of the Python API, each with its module; `__init__.pyi` has their types."""
__all__ = ["__version__", *API]

configure_blas(os.environ)
configure_xla(os.environ)


def __getattr__(name: str) -> Any:
    """Import a name of the Python API."""
    if name not in API:
        raise AttributeError(f"module 'thalweg' has no attribute '{name}'")
    return getattr(importlib.import_module(API[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *API})
