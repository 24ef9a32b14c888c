"""The arrays of a .npz file by what they hold, checked: shapes and types, before a value is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.data.labelled.file_index import SPLIT_WORDS
from thalweg.system import data_files, files
from thalweg.system.counts import join_first

NAMES = {
    "images": ("images", "image", "x", "data"),
    "label": ("label", "labels", "y", "targets"),
    "count": ("count", "counts"),
    "points": ("points",),
    "boxes": ("boxes",),
    "kinds": ("kinds",),
    "present": ("present",),
    "name": ("name", "names"),
    "group": ("group", "groups"),
    "split": ("split", "splits"),
}
"""What each array may be called, apart from the word of a set (`x_train`, `val_labels`)."""
ROLES = {name: role for role, names in NAMES.items() for name in names}
TYPES = {"images": "biuf", "label": "biufU", "count": "biuf", "points": "iuf", "boxes": "iuf", "kinds": "iuU",
         "present": "biu", "name": "iuU", "group": "iuU", "split": "U"}  # fmt: skip
"""The kinds of NumPy types that an array may have: b, truth; i and u, integers; f, floats; U, text."""
SHAPES = {"points": "[N, P, 2]", "boxes": "[N, P, 4]", "kinds": "[N, P]", "present": "[N, P]", "images": "[N, H, W] or "
          "[N, H, W, C] with 1 or 3 channels C"}  # fmt: skip
"""The shapes; all other arrays have [N]."""
CLASS_TYPES = "iuU"
"""The kinds of NumPy types that the names of classes may have."""
Header = tuple[tuple[int, ...], "np.dtype[Any]"]


@dataclass(frozen=True)
class ArraySet:
    """The arrays of one set: its split, '' if its names have none, and by role their locations and values."""

    split: str
    locations: dict[str, str]
    arrays: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.arrays["images"])


def read_array_sets(file: Path, *, with_images: bool) -> tuple[list[ArraySet], tuple[str, ...], list[str]]:
    """Read the sets in a file, the names of classes (array `classes`), and the arrays that are not used.

    Without images, each image is 0. Raises `UserError` that names every array with a wrong type or shape.
    """
    headers = data_files.read_array_headers(file)
    named: dict[str, dict[str, str]] = {}
    unused = []
    for name in headers:
        split, role = _find_role(name)
        if role == "" or role in named.get(split, {}):
            unused.append(name)
        else:
            named.setdefault(split, {})[role] = name
    unused = [name for name in unused if name != "classes"]
    problems = [f"{file}: {problem}" for problem in _find_problems(named, headers)]
    if problems:
        raise files.UserError("\n".join(problems))
    wanted = {name for roles in named.values() for role, name in roles.items() if with_images or role != "images"}
    values = data_files.read_arrays(file, wanted | ({"classes"} & headers.keys()))
    classes = tuple(map(str, values.pop("classes", np.array([])).ravel().tolist()))
    for roles in named.values():
        shape, dtype = headers[roles["images"]]
        values.setdefault(roles["images"], np.broadcast_to(np.zeros((), dtype), shape))
    sets = [
        ArraySet(
            split,
            {role: f"{file.name}:{name}" for role, name in roles.items()},
            {role: _unify_values(role, values[name]) for role, name in roles.items()},
        )
        for split, roles in sorted(named.items())
    ]
    return sets, classes, unused


def _find_role(name: str) -> tuple[str, str]:
    """Return the split and the role of an array by its name; no role if the name is not known."""
    words = name.lower().split("_")
    splits = [word for word in words if word in SPLIT_WORDS]
    role = ROLES.get("_".join(word for word in words if word not in splits), "")
    return (SPLIT_WORDS[splits[0]] if splits else ""), role if len(splits) <= 1 else ""


def _unify_values(role: str, values: NDArray[Any]) -> NDArray[Any]:
    """Return one value an image for a column, and numbers for truths."""
    if role in SHAPES:
        return values
    column = values[:, 0] if values.ndim == 2 else values
    return column.astype(np.uint8) if column.dtype.kind == "b" else column


def _find_problems(named: Mapping[str, Mapping[str, str]], headers: Mapping[str, Header]) -> Iterator[str]:
    for name, (_, dtype) in headers.items():
        if dtype.hasobject:
            yield f"the array {name} holds Python objects, which are never unpickled; save numbers or texts"
    if "classes" in headers:
        yield from _find_class_problems(*headers["classes"])
    if not any("images" in roles for roles in named.values()):
        known = join_first([*headers]) or "none"
        yield f"no array of images; call it {', '.join(NAMES['images'])}. The arrays are {known}"
        return
    shapes = {headers[roles["images"]][0][1:] for roles in named.values() if "images" in roles}
    if len(shapes) > 1:
        yield f"all images must have one size; they have {' and '.join(map(str, sorted(shapes)))}"
    labels = {tuple(sorted(roles.keys() - {"name", "group", "split"})) for roles in named.values()}
    if len(labels) > 1:
        sets = [f"{split or 'no set'}: {', '.join(sorted(roles.values()))}" for split, roles in sorted(named.items())]
        yield f"each set must have the same arrays ({'; '.join(sets)})"
    for roles in named.values():
        yield from _find_slot_problems(roles, headers)
        length = headers[roles["images"]][0][:1] if "images" in roles else ()
        for role, name in roles.items():
            shape, dtype = headers[name]
            if dtype.hasobject:
                continue
            if dtype.kind not in TYPES[role]:
                yield f"the array {name} has the type {dtype}, which cannot be {role}"
            if not has_shape(role, shape):
                hint = "; put the channels last" if role == "images" and shape[1:2] in ((1,), (3,)) else ""
                yield f"the array {name} has the shape {[*shape]}; it must be {SHAPES.get(role, '[N]')}{hint}"
            elif shape[:1] != length:
                yield f"the array {name} has {shape[0]} entries, but {roles.get('images', 'images')} has {[*length]}"


def _find_class_problems(shape: tuple[int, ...], dtype: "np.dtype[Any]") -> Iterator[str]:
    if not dtype.hasobject and dtype.kind not in CLASS_TYPES:
        yield f"the array classes has the type {dtype}, which cannot be classes; save texts"
    if len(shape) != 1:
        yield f"the array classes has the shape {[*shape]}; it must be [C]"


def _find_slot_problems(roles: Mapping[str, str], headers: Mapping[str, Header]) -> Iterator[str]:
    """Find arrays of one set that have different numbers of slots for objects."""
    slots = [name for role, name in roles.items() if "P" in SHAPES.get(role, "") and len(headers[name][0]) > 1]
    if len({headers[name][0][1] for name in slots}) > 1:
        yield (
            f"the arrays {' and '.join(sorted(slots))} must have one number of slots P; they have "
            f"{', '.join(f'{name} {[*headers[name][0]]}' for name in sorted(slots))}"
        )


def has_shape(role: str, shape: tuple[int, ...]) -> bool:
    """Say whether an array of this role may have this shape."""
    match role:
        case "images":
            return len(shape) in (3, 4) and all(shape) and (len(shape) == 3 or shape[3] in (1, 3))
        case "points" | "boxes":
            return len(shape) == 3 and shape[2] == (2 if role == "points" else 4)
        case "kinds" | "present":
            return len(shape) == 2
    return len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)
