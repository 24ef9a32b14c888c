"""What the methods of a user's own task must return, checked one after another without computing anything."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from thalweg.core.own_functions import describe_type
from thalweg.core.types import DataSpec, Term
from thalweg.data.examples import Examples
from thalweg.system.members import is_dotted, run_own_code
from thalweg.tasks import Task

BATCH = 4
"""Examples in the check."""


def find_task_fault(task: Task, outline: Examples, spec: DataSpec) -> str:
    """Return what is wrong with what the methods of an own task return, as the end of a sentence; '' if nothing is.

    Raises `MemberError` for what a method raises.
    """
    if not is_dotted(task.kind):
        return ""

    def trace(method: Callable[..., Any], *inputs: Any) -> Any:
        return run_own_code(task.kind, jax.eval_shape, method, *inputs)

    labels = run_own_code(task.kind, task.select_labels, outline)
    if not _is_arrays(labels, len(outline)):
        return f"returns {_name_types(labels)} from `select_labels`; it must be a dict of arrays [{len(outline)}, ...]"
    shape: Any = run_own_code(task.kind, task.output_shape, spec)
    if not isinstance(shape, tuple) or not shape or not all(isinstance(size, int) and size > 0 for size in shape):
        return f"returns {shape!r} from `output_shape`; it must be a tuple of whole numbers above 0"
    batch = {name: jnp.zeros((BATCH, *values.shape[1:]), values.dtype) for name, values in labels.items()}
    if task.CORRUPTS_INPUT:
        batch["image"] = jnp.zeros((BATCH, *spec.image_shape))
    targets = trace(lambda labels: task.build_targets(labels, spec), batch)
    if not _is_arrays(targets, BATCH):
        return f"returns {_name_types(targets)} from `build_targets`; it must be a dict of arrays [B, ...]"
    outputs = jax.ShapeDtypeStruct((BATCH, *shape), jnp.float32)  # type: ignore[no-untyped-call]
    terms = trace(lambda *inputs: _list_terms(task.build_loss_terms(*inputs)), outputs, targets)
    names = ", ".join(f"`{name}`" for name in task.loss_families)
    if terms is None or terms.keys() != task.loss_families.keys():
        return f"must return a dict from {names} to a `thalweg.core.types.Term` from `build_loss_terms`"
    predictions = trace(task.decode_outputs, outputs)
    if not _is_arrays({"": predictions}, BATCH):
        return f"returns {_name_types(predictions)} from `decode_outputs`; it must be an array [B, ...]"
    measured = trace(task.compute_metrics, predictions, targets, jnp.ones(BATCH))
    if not isinstance(measured, dict) or not measured.keys() >= task.METRIC_DIRECTIONS.keys():
        return f"must return a dict with {', '.join(task.METRIC_DIRECTIONS)} from `compute_metrics`"
    for name in task.METRIC_DIRECTIONS:
        if getattr(measured[name], "shape", None) != ():
            return f"returns {describe_type(measured[name])} as `{name}` from `compute_metrics`; it must be one number"
    return ""


def _list_terms(terms: Any) -> dict[str, Any] | None:
    """Return the arrays of loss terms by name; None if they are something else."""
    is_dict = isinstance(terms, dict) and all(isinstance(term, Term) for term in terms.values())
    return {name: (term.prediction, term.truth) for name, term in terms.items()} if is_dict else None


def _is_arrays(values: Any, count: int) -> bool:
    """Return whether values are a dict of arrays with `count` rows."""
    shapes = [getattr(value, "shape", ()) for value in values.values()] if isinstance(values, dict) else [()]
    return all(shape[:1] == (count,) for shape in shapes)


def _name_types(values: Any) -> str:
    if isinstance(values, dict):
        described = ", ".join(f"`{name}`: {describe_type(value)}" for name, value in values.items())
        return f"a dict of {described or 'nothing'}"
    return describe_type(values)
