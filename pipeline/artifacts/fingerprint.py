"""What a result depends on, and the fingerprint over it."""

import hashlib
import inspect
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from thalweg.config.checks.sampler import SAMPLER_PACKAGES
from thalweg.config.experiment import Config
from thalweg.core.network import load
from thalweg.system import files
from thalweg.system.machine import processor, versions

ROOT = Path(__file__).parents[1]
FINGERPRINTED_CODE = (
    *("core/*.py", "tasks/*.py", "engine/*.py", "training/*.py", "models/*.py", "schema/*.py"),
    *(f"config/{name}.py" for name in ("experiment", "limits", "spaces", "study")),
    *(f"search/{name}.py" for name in ("cohorts", "samplers", "study", "trials")),
)
"""All that a trial's result follows from; what data and their splits come from is in the digest of the examples."""


def study_fingerprint(config: Config, data: str, *more: Any) -> str:
    """A hash of all that a trial's result depends on; `data` is the digest of the prepared examples, `more` what else.

    The number of trials, when to stop, names, roles, the report, and how many devices or cores there are, are no part
    of it.
    """
    tree = config.model_dump(mode="json")
    for part in ("confirm", "diagnose", "report"):
        del tree[part]
    for part, name in (("data", "path"), ("data", "on_bad"), ("study", "name"), ("study", "trials"), ("study", "stop")):
        del tree[part][name]
    for parameter in tree["study"]["space"].values():
        del parameter["role"]
    own = SAMPLER_PACKAGES.get(config.study.sampler, ())[:1]
    facts: dict[str, Any] = {
        "more": list(more),
        "params": tree,
        "data": data,
        "code": code_digest(config),
        "versions": versions() | {package: version(package) for package in own},
        "processor": processor(),
        "pool": os.environ.get("NPROC"),
        "numbers": {name: os.environ.get(name) for name in ("JAX_DEFAULT_MATMUL_PRECISION", "JAX_ENABLE_X64")},
        "flags": sorted(f for f in os.environ.get("XLA_FLAGS", "").split() if "device_count" not in f),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def code_digest(config: Config) -> str:
    """SHA-256 over the code that a trial's result depends on: this project's and a person's own models."""
    searched = config.study.space.get("model.kind")
    kinds = {config.model.kind, *(str(kind) for kind in (searched.choices or () if searched else ()))}
    sources = {os.path.relpath(file, ROOT): file for pattern in FINGERPRINTED_CODE for file in ROOT.glob(pattern)}
    for kind in kinds:
        sources |= _own(load(kind).__module__) if "." in kind else {}
    total = hashlib.sha256()
    for name, file in sorted(sources.items()):
        total.update(name.encode() + b"\0" + files.read_bytes(file))
    return total.hexdigest()


def _own(module: str) -> dict[str, Path]:
    """The source files of a person's module and of all that it imports from the same project, by their dotted names."""
    found: dict[str, Path] = {}
    left = [module]
    while left:
        name = left.pop()
        file = getattr(sys.modules.get(name), "__file__", None)
        if name in found or file is None or not _here(Path(file)):
            continue
        found[name] = Path(file)
        for value in vars(sys.modules[name]).values():
            other = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
            left += [other] if isinstance(other, str) else []
    return found


def _here(file: Path) -> bool:
    """Whether a file is a person's own: neither this project's, which is hashed anyway, nor installed."""
    installed = {"site-packages", "dist-packages"} & set(file.parts)
    library = Path(os.__file__).parent
    return not installed and not file.is_relative_to(library) and not file.is_relative_to(ROOT)
