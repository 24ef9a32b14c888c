"""Thalweg: declarative hyperparameter studies of neural networks.

Importing the package sets the environment variables of XLA and BLAS (`thalweg.system.runtime`).
"""

import os

__version__ = "0.2.0"

if __name__ != "thalweg":
    raise ImportError("import thalweg, not the folder pipeline; a second name would load every module twice")

from thalweg.system.runtime import configure_blas, configure_xla

configure_blas(os.environ)
configure_xla(os.environ)
