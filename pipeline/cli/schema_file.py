"""The JSON Schema beside params.yaml, and the line of params.yaml that names it to an editor."""

from pathlib import Path

from thalweg.system import files
from thalweg.system.paths import PARAMS, PARAMS_SCHEMA

MODELINE = f"# yaml-language-server: $schema={PARAMS_SCHEMA}\n"
"""The first line of params.yaml. VS Code and other editors with the YAML language server read it."""


def write_schema(file: Path = PARAMS_SCHEMA) -> None:
    """Write the JSON Schema of params.yaml."""
    files.write_text(file, build_schema_text())


def show_schema(out: str | None, folder: Path) -> None:
    """Write the schema to a path in `folder` (None: beside params.yaml), or print it for `-`."""
    if out == "-":
        print(build_schema_text(), end="")
        return
    file = PARAMS_SCHEMA if out is None else folder / out
    write_schema(file)
    print(f"{file}: the JSON Schema of {PARAMS}")


def build_schema_text() -> str:
    """Return the JSON Schema of params.yaml as text."""
    from thalweg.config.json_schema import format_json_schema  # imports JAX

    return format_json_schema()


def add_modeline(params: str) -> str:
    """Return the text of a params file with the modeline in front."""
    return MODELINE + remove_modeline(params)


def remove_modeline(params: str) -> str:
    """Return the text of a params file without the modeline in front."""
    return params.removeprefix(MODELINE)
