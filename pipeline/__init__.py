"""Thalweg: declarative hyperparameter studies of neural networks.

Importing the package sets the environment variables of XLA and BLAS (`thalweg.system.runtime`).
"""

import os

if __name__ != "thalweg":
    raise ImportError("import thalweg, not the folder pipeline; a second name would load every module twice")

from thalweg.system.runtime import configure_blas, configure_xla
from thalweg.system.version import VERSION as __version__  # noqa: N811  the name that Python's tools look for

__all__ = ["__version__"]

configure_blas(os.environ)
configure_xla(os.environ)
