"""Params files with random edits."""

import string
from copy import deepcopy
from io import StringIO
from typing import Any

from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.helpers.paths import ROOT

TREE = YAML(typ="safe", pure=True).load(ROOT / "params.yaml")


def list_places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(place for name, value in inner for place in list_places(value, (*path, name)))]


names = st.text(string.ascii_letters + "._-é 0123456789", min_size=1, max_size=8)
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | names | st.just(10**400) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.integers() | st.none(), inner, max_size=3),
    max_leaves=4,
)
known = sorted({str(step) for place in list_places(TREE) for step in place})


@st.composite
def draw_mutations(draw: st.DrawFn) -> str:
    """The default file after one to three edits: a key is deleted, added or given another value."""
    tree = deepcopy(TREE)
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(list_places(tree)[1:]))
        part = tree
        for step in path:
            part = part[step]
        match draw(st.sampled_from(["delete", "add", "replace"])):
            case "delete":
                del part[last]
            case "add" if isinstance(part, dict):
                part[draw(st.sampled_from(known) | names)] = draw(junk)
            case _:
                part[last] = draw(junk | st.sampled_from(known))
    out, yaml = StringIO(), YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.dump(tree, out)
    return out.getvalue()
