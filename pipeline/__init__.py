"""Thalweg: declarative hyperparameter studies of neural networks.

Importing the package sets what XLA reads from the environment when JAX is loaded (`thalweg.system.runtime`).
"""

import os

if __name__ != "thalweg":
    raise ImportError("import thalweg, not the folder pipeline: under a second name every module would be loaded twice")

from thalweg.system.runtime import configure_xla

configure_xla(os.environ)
