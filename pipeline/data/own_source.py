"""Read a source, and check what a user's own source returns."""

from pathlib import Path
from typing import Any

import numpy as np

from thalweg.data.examples import ARRAYS, LABEL_TYPES, DataSource, Examples, Fault, ReadResult
from thalweg.system.members import MemberError, is_dotted, run_own_code

SPLITS = ("train", "validation", "test")


def read_source(source: DataSource, path: Path, seed: int) -> ReadResult:
    """Read every example of a source. Raises `UserError`, and `MemberError` if an own source returns something else."""
    if not is_dotted(source.kind):
        return source.read_examples(path, seed)
    result: ReadResult = run_own_code(source.kind, source.read_examples, path, seed)
    if fault := find_result_fault(result):
        raise MemberError(source.kind, f"returns {fault}")
    return result


def build_outline(source: DataSource, path: Path, seed: int) -> Examples | None:
    """Return the examples as far as they are known before they are read (`DataSource.build_outline`).

    Raises `MemberError` if an own source fails, or returns something else.
    """
    if not is_dotted(source.kind):
        return source.build_outline(path, seed)
    outline: Examples | None = run_own_code(source.kind, source.build_outline, path, seed)
    if outline is not None and (fault := find_examples_fault(outline)):
        raise MemberError(source.kind, f"returns from `build_outline` {fault}")
    return outline


def find_result_fault(result: Any) -> str:
    """Return what is wrong with the result of reading a source, as the end of a sentence; '' if nothing is."""
    if not isinstance(result, ReadResult) or not isinstance(result.examples, Examples):
        return "no `thalweg.data.examples.ReadResult` of `Examples`"
    for name, kind, words in (("faults", Fault, "`thalweg.data.examples.Fault`"), ("warnings", str, "text")):
        if not _is_tuple_of(getattr(result, name), kind):
            return f"`{name}` that are no tuple of {words}"
    return find_examples_fault(result.examples)


def find_examples_fault(examples: Any) -> str:
    """Return what is wrong with the examples of a source, as the end of a sentence; '' if nothing is."""
    if not isinstance(examples, Examples):
        return "no `thalweg.data.examples.Examples`"
    if not isinstance(examples.labels, dict):
        return "labels that are no dict of arrays by name"
    arrays = {name: getattr(examples, name) for name in ARRAYS} | {f"label {n}": v for n, v in examples.labels.items()}
    if lists := [name for name, values in arrays.items() if not isinstance(values, np.ndarray)]:
        return f"{lists[0]} as a value of type {type(arrays[lists[0]]).__name__}; it must be a NumPy array"
    if not _is_tuple_of(examples.classes, str):
        return "`classes` that are no tuple of names"
    if not {"label", "kinds"}.isdisjoint(examples.labels) and not examples.classes:
        return "numbers of classes, but no `classes`: their names"
    if unknown := set(np.unique(examples.split)) - {"", *SPLITS}:
        return f"'{sorted(unknown)[0]}' as a split; it must be '', {', '.join(SPLITS)}"
    if examples.images.dtype != np.uint8 or examples.images.ndim != 4:
        return f"images of type {_describe_array(examples.images)}; they must be uint8 [N, H, W, C]"
    for name in ARRAYS[1:]:
        values = np.asarray(getattr(examples, name))
        if values.dtype.kind != "U" or values.shape != (len(examples),):
            return f"`{name}` of type {_describe_array(values)}; it must be text [{len(examples)}]"
    for name, values in examples.labels.items():
        if name not in LABEL_TYPES:
            return f"the label `{name}`; labels are {', '.join(LABEL_TYPES)}"
        shape, dtype = LABEL_TYPES[name]
        if values.dtype != dtype or values.ndim != len(shape) + 1 or len(values) != len(examples):
            axes = ", ".join((str(len(examples)), *(["P"] if shape else []), *map(str, shape[1:])))
            return f"the label `{name}` of type {_describe_array(values)}; it must be {np.dtype(dtype)} [{axes}]"
        if not np.isfinite(values.astype(np.float64)).all():
            return f"the label `{name}` with values that are not finite"
    return ""


def _is_tuple_of(values: Any, kind: type) -> bool:
    return isinstance(values, tuple) and all(isinstance(value, kind) for value in values)


def _describe_array(values: Any) -> str:
    return f"{values.dtype} {list(values.shape)}"
