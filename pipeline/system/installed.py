"""What is installed: the report and `compare` need no JAX; all other commands do, and say so in one line."""

from importlib.util import find_spec

from thalweg.system.files import UserError

TRAINING = ("jax", "flax", "optax", "dvc")
"""Packages that the extra `train` brings, and that no training can do without."""


def require_training(name: str) -> None:
    """Raise `UserError` where the packages are not installed that a command, or a name of the API, trains with."""
    missing = [name for name in TRAINING if find_spec(name) is None]
    if missing:
        raise UserError(f"{name} needs {', '.join(missing)}: install them with pip install 'thalweg[train]'")
