"""A params file with other values in it, its comments kept: what a person may put in place of their own."""

import copy
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from thalweg.system import files


def rewrite_params(file: Path, values: Mapping[str, Any]) -> str:
    """The text of a params file with `values` at their dotted paths."""
    yaml = YAML(typ="rt")
    yaml.width = 4096
    tree = yaml.load(files.read_bytes(file).decode())
    for path, value in sorted(values.items()):
        *parents, last = path.split(".")
        part = tree
        for name in parents:
            # a copy: through an alias the same part may stand in two places
            part[name] = copy.deepcopy(part.get(name, {}))
            part = part[name]
        part[last] = value
    text = StringIO()
    yaml.dump(tree, text)
    return text.getvalue()
