"""Whether the installed packages are those of a lock file."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from thalweg.system import files

LOCKS = tuple(f"requirements{kind}.lock" for kind in ("", "-dev", "-cuda12", "-cuda13", "-tpu"))


def find_matching_lock(folder: Path) -> tuple[str, list[str]]:
    """Return the lock file in a folder that the installed packages differ least from, and how they differ.

    Of two that fit alike, the one that pins more packages: it holds the other. ("", []) if there is none.
    """
    names = [name for name in LOCKS if files.path_exists(folder / name)]
    locks = {name: list_pinned(files.read_bytes(folder / name).decode()) for name in names}
    if not locks:
        return "", []
    differences = {name: list_differences(pinned) for name, pinned in locks.items()}
    name = min(locks, key=lambda name: (len(differences[name]), -len(locks[name])))
    return name, differences[name]


def list_pinned(lock: str) -> dict[str, str]:
    """Return the packages that a lock file pins for this Python and system, with their versions."""
    lines = (line.removesuffix("\\").strip() for line in lock.splitlines() if line[:1].isalnum())
    pinned = {}
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate():
            pinned[requirement.name] = str(requirement.specifier).removeprefix("==")
    return pinned


def list_differences(pinned: dict[str, str]) -> list[str]:
    """Say which packages are missing, or have another version: `jax 0.10.1, not 0.10.2`."""
    differences = []
    for name, expected in pinned.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            differences.append(f"{name} is missing")
            continue
        if found != expected:
            differences.append(f"{name} {found}, not {expected}")
    return differences
