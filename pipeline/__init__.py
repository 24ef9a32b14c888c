"""Thalweg: declarative hyperparameter studies of neural networks.

Importing the package sets what XLA and BLAS read from the environment when they are loaded (`thalweg.system.runtime`).
"""

import os

if __name__ != "thalweg":
    raise ImportError("import thalweg, not the folder pipeline: under a second name every module would be loaded twice")

from thalweg.system.runtime import configure_blas, configure_xla

configure_blas(os.environ)
configure_xla(os.environ)
