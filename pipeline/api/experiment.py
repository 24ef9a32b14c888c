"""What a study is of: the params that `run` was given, as the text of a params file."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from thalweg.config.params_file import parse_params
from thalweg.config.tree import flatten_tree
from thalweg.config.write import rewrite_params
from thalweg.schema.problem import ParamsTree
from thalweg.system import files
from thalweg.system.files import UserError
from thalweg.system.package_files import find_package_file
from thalweg.system.paths import PARAMS
from thalweg.system.project_folder import PIPELINE


@dataclass(frozen=True)
class Experiment:
    """The text of a params file, its name in messages, and the folder where its data and own code lie.

    `file` is the file of a person that has exactly this text.
    """

    text: str
    title: str
    base: Path
    file: Path | None = None

    @property
    def tree(self) -> ParamsTree:
        return parse_params(Path(self.title), self.text.encode())[0]

    def find_value(self, path: str) -> Any:
        """Return the value at a dotted path; None if there is none."""
        return dict(flatten_tree(self.tree)).get(path)

    @property
    def project(self) -> Path | None:
        """The project that these params are the params.yaml of, unchanged."""
        is_whole = self.file == self.base / PARAMS and files.path_exists(self.base / PIPELINE)
        return self.base if is_whole else None

    def replace_values(self, values: Mapping[str, Any]) -> "Experiment":
        """Return the experiment with other values at dotted paths."""
        if not values:
            return self
        try:
            return replace(self, text=rewrite_params(self.text, values), file=None)
        except YAMLError:  # a key that is there twice
            raise UserError(
                f"{self.title}: cannot be changed. Run `thalweg check` on it, and correct it first"
            ) from None
        except (ValueError, IndexError, TypeError) as error:
            raise UserError(f"changes: {', '.join(values)}: no such place in a list ({error})") from None

    def compute_digest(self) -> str:
        """Return a hash of the values, whatever their order and comments."""
        text = json.dumps(self.tree, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def read_experiment(params: str | Path | Mapping[str, Any], changes: Mapping[str, Any] | None) -> Experiment:
    """Read a params file, a preset by its name, or a mapping, with other values at dotted paths.

    Raises `UserError` if there is no such file, or a value cannot stand in a params file.
    """
    if not isinstance(params, str | Path | Mapping):
        raise UserError(f"params: must be a file, a preset or a mapping, not of the type {type(params).__name__}")
    if not isinstance(changes, Mapping | None):
        raise UserError(f"changes: must be a mapping of dotted paths, not of the type {type(changes).__name__}")
    values = {str(path): _make_plain(value, f"changes: {path}") for path, value in (changes or {}).items()}
    if isinstance(params, Mapping):
        text = _format_params(_make_plain(params, "params"))
        return Experiment(text, "params", files.resolve_links(Path())).replace_values(values)
    file = files.resolve_user_path(Path(params))
    if not files.path_exists(file) or files.is_folder(file):
        preset = find_package_file("presets", f"{params}.yaml")
        if not files.path_exists(preset):
            raise UserError(f"{params}: no such file, and no preset of this name (`thalweg use` lists them)")
        return Experiment(_read_text(preset, params), str(params), files.resolve_links(Path())).replace_values(values)
    base = next((folder for folder in file.parents if files.path_exists(folder / PIPELINE)), file.parent)
    return Experiment(_read_text(file, params), str(params), base, file).replace_values(values)


def list_differences(before: ParamsTree, now: ParamsTree) -> list[str]:
    """Return each dotted path that has another value, with both."""
    old, new = dict(flatten_tree(before)), dict(flatten_tree(now))
    pairs = {path: (old.get(path, "not set"), new.get(path, "not set")) for path in {**old, **new}}
    return [f"{path} ({before}, now {after})" for path, (before, after) in pairs.items() if before != after]


def _read_text(file: Path, title: str | Path) -> str:
    content = files.read_bytes(file)
    parse_params(Path(title), content)  # raises `ParamsError` for what is no params file
    return content.decode("utf-8-sig")


def _format_params(tree: ParamsTree) -> str:
    text = StringIO()
    YAML(typ="rt").dump(tree, text)
    return text.getvalue()


def _make_plain(value: Any, where: str) -> Any:
    """Return a value as a params file can hold it; numbers and arrays of NumPy become those of Python."""
    if isinstance(value, Mapping):
        return {str(key): _make_plain(item, f"{where}.{key}") for key, item in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_make_plain(item, where) for item in value]
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise UserError(f"{where}: a value of the type {type(value).__name__} cannot stand in a params file")
