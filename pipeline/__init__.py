"""Thalweg: declarative hyperparameter studies of neural networks.

Importing the package sets the environment variables of XLA and BLAS (`thalweg.system.runtime`). The Python API is
imported when it is used (`thalweg.api`): most processes are stages, and need none of it. `__init__.pyi` has its types.
"""

import importlib
import os
from typing import Any

if __name__ != "thalweg":
    raise ImportError("import thalweg, not the folder pipeline; a second name would load every module twice")

from thalweg.system.runtime import collect_plugin_faults, configure_blas, configure_xla
from thalweg.system.version import VERSION as __version__  # noqa: N811  the name that Python's tools look for

__all__ = ["__version__"]

configure_blas(os.environ)
configure_xla(os.environ)
collect_plugin_faults()


def __getattr__(name: str) -> Any:
    # results depend on this module and on what it names, so the API, which will grow, is named in parts
    return importlib.import_module(f"{__name__}.api").import_name(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *importlib.import_module(f"{__name__}.api").HOMES})
