"""Fingerprints: hashes of everything that a result depends on."""

import hashlib
import json
import os
from importlib.metadata import version
from types import ModuleType
from typing import Any

from thalweg.artifacts.inputs import require_unchanged_inputs
from thalweg.artifacts.sources import digest_sources, list_own_libraries, list_sources
from thalweg.config.checks.study import SAMPLER_PACKAGES
from thalweg.config.experiment import Config
from thalweg.config.study import StudyConfig
from thalweg.system.machine import describe_processor, list_versions
from thalweg.system.runtime import NUMERIC_VARIABLES

UNCOUNTED = {
    "data": ("path", "on_bad"),
    "study": ("name", "trials", "stop", "smallest_effect"),
    "engine": ("launcher", "address"),
}
"""Keys of params.yaml, by section, on which no trial depends."""


def study_fingerprint(config: Config, data_digest: str, entry: ModuleType, *extra: Any) -> str:
    """Hash all that a trial's result depends on (`describe_study`)."""
    facts = describe_study(config, data_digest, entry, *extra)
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def describe_study(config: Config, data_digest: str, entry: ModuleType, *extra: Any) -> dict[str, Any]:
    """Return all that a trial's result depends on, if the module `entry` trains it.

    The prepared examples count by `data_digest`, the code as `list_sources` finds it, and `extra` values as they are.
    The number of trials, stop rules, names, the smallest effect, the report, and the number of devices or cores
    do not count.
    Code and examples are hashed on disk. So a stage whose inputs changed since it loaded them ends with a `UserError`.
    """
    require_unchanged_inputs()
    tree = config.model_dump(mode="json")
    for section in ("confirm", "diagnose", "report"):
        del tree[section]
    for section, keys in UNCOUNTED.items():
        for key in keys:
            del tree[section][key]
    sampler_package = SAMPLER_PACKAGES.get(config.study.sampler, ())[:1]
    return {
        "more": list(extra),
        "params": tree,
        "data": data_digest,
        "code": digest_sources(list_sources(config, entry)),
        "versions": list_versions() | list_own_libraries(config) | {name: version(name) for name in sampler_package},
        "processor": describe_processor(),
        "environment": {name: os.environ.get(name) for name in NUMERIC_VARIABLES},
        "flags": sorted(f for f in os.environ.get("XLA_FLAGS", "").split() if "device_count" not in f),
    }


def baseline_fingerprint(config: Config, data_digest: str, entry: ModuleType) -> str:
    """Hash what the baseline's result depends on; the study counts only with its objective."""
    study = {"objective": config.study.objective, "trials": 1, "cohort": 1, "space": {}}
    alone = config.model_copy(update={"study": StudyConfig.model_validate(study)})
    return study_fingerprint(alone, data_digest, entry)
