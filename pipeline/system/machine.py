"""The versions and the processor that results depend on."""

import hashlib
import platform
from importlib.metadata import version

from thalweg.system.runtime import cpu_identity

VERSIONED_PACKAGES = ("jax", "jaxlib", "flax", "optax", "optuna", "numpy", "scipy", "pillow")


def list_versions() -> dict[str, str]:
    return {name: version(name) for name in VERSIONED_PACKAGES} | {"python": platform.python_version()}


def describe_processor() -> str:
    """The kind of processor or accelerator that computes, by its maker's name."""
    import jax

    device = jax.devices()[0]
    return _describe_cpu() if device.platform == "cpu" else f"{device.platform} {device.device_kind}"


def _describe_cpu() -> str:
    facts = cpu_identity()
    named = [line.partition(": ")[2] for line in facts.splitlines() if line.startswith("model name")]
    name = named[0] if named else platform.processor() or platform.machine()
    return f"{name} ({platform.machine()}, {hashlib.sha256(facts.encode()).hexdigest()[:8]})"
