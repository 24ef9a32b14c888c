"""Fingerprints: hashes of everything that a result depends on."""

import ast
import hashlib
import inspect
import json
import os
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from thalweg.artifacts.inputs import require_unchanged_inputs
from thalweg.config.checks.study import SAMPLER_PACKAGES
from thalweg.config.experiment import Config
from thalweg.config.model import list_model_kinds
from thalweg.config.study import StudyConfig
from thalweg.core.network import import_model_class
from thalweg.system import files
from thalweg.system.machine import describe_processor, list_versions

PACKAGE_FOLDER = Path(__file__).parents[1]
FINGERPRINTED_CODE = (
    *("core/*.py", "tasks/**/*.py", "engine/*.py", "training/*.py", "schema/section.py", "stats/trial_value.py"),
    *(f"config/{name}.py" for name in ("experiment", "model", "numbers", "settings", "spaces", "study", "tree")),
    *(f"search/{name}.py" for name in ("cohorts", "distributions", "samplers", "study", "tpe", "trials")),
    "stats/pareto.py",
)
"""Code that determines every trial's result, beside its model. The digest of the examples covers the data's code."""


def study_fingerprint(config: Config, data_digest: str, *extra: Any) -> str:
    """Hash all that a trial's result depends on (`describe_study`)."""
    facts = describe_study(config, data_digest, *extra)
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def describe_study(config: Config, data_digest: str, *extra: Any) -> dict[str, Any]:
    """Return all that a trial's result depends on: the prepared examples by `data_digest`, and `extra` values.

    The number of trials, stop rules, names, roles, the report, and the number of devices or cores do not count.
    Code and examples are hashed on disk. So a stage whose inputs changed since it loaded them ends with a `UserError`.
    """
    require_unchanged_inputs()
    tree = config.model_dump(mode="json")
    for section in ("confirm", "diagnose", "report"):
        del tree[section]
    for section, keys in {"data": ("path", "on_bad"), "study": ("name", "trials", "stop")}.items():
        for key in keys:
            del tree[section][key]
    for parameter in tree["study"]["space"].values():
        del parameter["role"]
    sampler_package = SAMPLER_PACKAGES.get(config.study.sampler, ())[:1]
    return {
        "more": list(extra),
        "params": tree,
        "data": data_digest,
        "code": code_digest(config),
        "versions": list_versions() | {package: version(package) for package in sampler_package},
        "processor": describe_processor(),
        "pool": os.environ.get("NPROC"),
        "numbers": {name: os.environ.get(name) for name in ("JAX_DEFAULT_MATMUL_PRECISION", "JAX_ENABLE_X64")},
        "flags": sorted(f for f in os.environ.get("XLA_FLAGS", "").split() if "device_count" not in f),
    }


def baseline_fingerprint(config: Config, data_digest: str) -> str:
    """Hash what the baseline's result depends on; the study counts only with its objective."""
    study = {"objective": config.study.objective, "trials": 1, "cohort": 1, "space": {}}
    return study_fingerprint(
        config.model_copy(update={"study": StudyConfig.model_validate(study)}), data_digest, "baseline"
    )


def code_digest(config: Config) -> str:
    """Hash the code that a trial's result depends on, without comments and docstrings."""
    return sources_digest(list_sources(config))


def list_sources(config: Config) -> dict[str, Path]:
    """Return the source files that a trial's result depends on, by name."""
    kinds = list_model_kinds(config.model_dump())
    sources = {
        os.path.relpath(file, PACKAGE_FOLDER): file
        for pattern in FINGERPRINTED_CODE
        for file in files.find_files(PACKAGE_FOLDER, pattern)
    }
    for kind in kinds:
        sources |= _find_model_sources(import_model_class(kind).__module__)
    return sources


def package_digest(package: str) -> str:
    """Hash the code of one of this project's packages, without comments and docstrings."""
    return sources_digest({file.name: file for file in files.find_files(PACKAGE_FOLDER / package, "*.py")})


def sources_digest(sources: Mapping[str, Path]) -> str:
    """Hash the syntax trees of source files, without comments, docstrings and positions."""
    total = hashlib.sha256()
    for name, file in sorted(sources.items()):
        total.update(name.encode() + b"\0" + _strip_docstrings(files.read_bytes(file)))
    return total.hexdigest()


@cache  # a study's fingerprints are of the same files
def _strip_docstrings(source: bytes) -> bytes:
    """Return a source's syntax tree as text, without docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [statement for statement in body if not _is_docstring(statement)]  # type: ignore[attr-defined]
    return ast.dump(tree).encode()


def _is_docstring(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _find_model_sources(module: str) -> dict[str, Path]:
    """Return a model's source file and those of its imports from models/ or the user's project, by dotted name."""
    sources: dict[str, Path] = {}
    pending = [module]
    while pending:
        name = pending.pop()
        file = getattr(sys.modules.get(name), "__file__", None)
        if name in sources or file is None or not _is_model_source(Path(file)):
            continue
        sources[name] = Path(file)
        for value in vars(sys.modules[name]).values():
            imported = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
            pending += [imported] if isinstance(imported, str) else []
    return sources


def _is_model_source(file: Path) -> bool:
    """Return whether a file is in models/ or is the user's: neither this project's other code nor installed."""
    if file.is_relative_to(PACKAGE_FOLDER):
        return file.is_relative_to(PACKAGE_FOLDER / "models")
    installed = {"site-packages", "dist-packages"} & set(file.parts)
    return not installed and not file.is_relative_to(Path(os.__file__).parent)
