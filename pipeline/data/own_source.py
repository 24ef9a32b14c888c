"""Read a source, and check what a user's own source returns."""

from pathlib import Path
from typing import Any

import numpy as np

from thalweg.data.examples import ARRAYS, LABEL_TYPES, DataSource, Examples, ReadResult
from thalweg.system.members import MemberError, is_dotted, run_own_code


def read_source(source: DataSource, path: Path, seed: int) -> ReadResult:
    """Read every example of a source. Raises `UserError`, and `MemberError` if an own source returns something else."""
    if not is_dotted(source.kind):
        return source.read_examples(path, seed)
    result: ReadResult = run_own_code(source.kind, source.read_examples, path, seed)
    if fault := find_result_fault(result):
        raise MemberError(source.kind, f"returns {fault}")
    return result


def find_result_fault(result: Any) -> str:
    """Return what is wrong with the result of reading a source, as the end of a sentence; '' if nothing is."""
    examples = getattr(result, "examples", None)
    if not isinstance(result, ReadResult) or not isinstance(examples, Examples):
        return "no `thalweg.data.examples.ReadResult` of `Examples`"
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


def _describe_array(values: Any) -> str:
    return f"{values.dtype} {list(values.shape)}"
