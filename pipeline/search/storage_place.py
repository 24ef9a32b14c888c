"""Where Optuna's storage is. Without SQLAlchemy, which only a thread or a command that opens the storage imports."""

import os

from thalweg.system.paths import STATE_FOLDER

VARIABLE = "THALWEG_STORAGE"
DEFAULT_FILE = STATE_FOLDER / "studies.db"


def is_chosen() -> bool:
    """Return whether the user chose a database; else it is a file in the state folder."""
    return bool(os.environ.get(VARIABLE))
