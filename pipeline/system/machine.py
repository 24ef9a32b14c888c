"""The library versions and the processor that results depend on."""

import hashlib
import platform
from importlib.metadata import version

from thalweg.system.runtime import cpu_identity

VERSIONED_PACKAGES = ("jax", "jaxlib", "flax", "optax", "optuna", "numpy", "scipy", "pillow")


def list_versions() -> dict[str, str]:
    return {name: version(name) for name in VERSIONED_PACKAGES} | {"python": platform.python_version()}


def describe_processor() -> str:
    """Return the name of the processor or accelerator that computes."""
    import jax

    device = jax.devices()[0]
    return _describe_cpu() if device.platform == "cpu" else f"{device.platform} {device.device_kind}"


def _describe_cpu() -> str:
    identity = cpu_identity()
    names = [line.partition(": ")[2] for line in identity.splitlines() if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name} ({platform.machine()}, {hashlib.sha256(identity.encode()).hexdigest()[:8]})"
