"""What a result depends on, and the fingerprint over it."""

import hashlib
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline import io, processor_facts
from pipeline.config import Config

PACKAGES = ("jax", "jaxlib", "flax", "optax", "optuna", "numpy", "scipy", "pillow")
ROOT = Path(__file__).parent
CODE = ("*.py", "core/*.py", "data/*.py", "tasks/*.py", "search/*.py", "../models/*.py")


def versions() -> dict[str, str]:
    return {name: version(name) for name in PACKAGES} | {"python": platform.python_version()}


def processor() -> str:
    """The kind of processor or accelerator that computes, by its maker's name."""
    import jax

    device = jax.devices()[0]
    return _cpu() if device.platform == "cpu" else f"{device.platform} {device.device_kind}"


def _cpu() -> str:
    facts = processor_facts()
    named = [line.partition(": ")[2] for line in facts.splitlines() if line.startswith("model name")]
    name = named[0] if named else platform.processor() or platform.machine()
    return f"{name} ({platform.machine()}, {hashlib.sha256(facts.encode()).hexdigest()[:8]})"


def fingerprint(config: Config, data: str) -> str:
    """A hash of all that a trial's result depends on; `data` is the digest of the prepared examples.

    The number of trials, names, the report, and how many devices or cores there are, are no part of it.
    """
    tree = config.model_dump(mode="json")
    for part in ("confirm", "report"):
        del tree[part]
    for part, name in (("data", "path"), ("data", "on_bad"), ("study", "name"), ("study", "trials")):
        del tree[part][name]
    facts: dict[str, Any] = {
        "params": tree,
        "data": data,
        "code": code(),
        "versions": versions(),
        "processor": processor(),
        "pool": os.environ.get("NPROC"),
        "flags": sorted(f for f in os.environ.get("XLA_FLAGS", "").split() if "device_count" not in f),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def code() -> str:
    """SHA-256 over this project's own code below the report."""
    files = sorted(file for pattern in CODE for file in ROOT.glob(pattern))
    total = hashlib.sha256()
    for file in files:
        total.update(os.path.relpath(file, ROOT).encode() + b"\0" + io.read_bytes(file))
    return total.hexdigest()
