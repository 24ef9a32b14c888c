"""Which experiment prepared data belongs to."""

import json
from typing import Any

from thalweg.config.experiment import Config
from thalweg.system import files
from thalweg.system.paths import COPIES, MANIFEST


def data_identity(config: Config) -> dict[str, Any]:
    """What of an experiment the prepared data depends on; where it was read from may change."""
    tree = config.model_dump(mode="json", include={"seed", "data", "task"})
    del tree["data"]["path"]
    return tree


def augmentation_identity(config: Config) -> str:
    """What of an experiment the augmented copies depend on beside the examples."""
    return json.dumps(config.augment.offline.model_dump(), sort_keys=True)


def matches(config: Config) -> bool:
    """Whether what lies prepared is this experiment's, the copies too."""
    copied = str(files.read_arrays(COPIES).get("offline", ""))
    return files.read_json(MANIFEST).get("made_for") == data_identity(config) and copied == augmentation_identity(
        config
    )
