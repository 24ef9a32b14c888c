"""Write other values into a params file and keep its comments."""

import copy
from collections.abc import Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML


def rewrite_params(params: str, values: Mapping[str, Any]) -> str:
    """Return `params`, the text of a params file, with `values` at their dotted paths."""
    yaml = YAML(typ="rt")
    yaml.width = 4096
    tree = yaml.load(params)
    for path, value in sorted(values.items()):
        section, keys = tree, path.split(".")
        while len(keys) > 1 and ".".join(keys) not in section:  # a name may be a dotted path itself
            # a copy, because a YAML alias may use the same section twice
            section[keys[0]] = copy.deepcopy(section.get(keys[0], {}))
            section = section[keys.pop(0)]
        section[".".join(keys)] = value
    text = StringIO()
    yaml.dump(tree, text)
    return text.getvalue()
