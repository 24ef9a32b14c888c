"""One call of an objective in a process of its own, whose arguments are `MODULE:FUNCTION`, params as JSON, and a seed.

The last line that it prints is MARK, and a JSON object with `value`; or with `failed`, why this run has none; or with
`refused`, why no run can have one.
"""

import difflib
import importlib
import inspect
import json
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from thalweg.system.members import describe_error

MARK = "thalweg result: "


class RefusedError(Exception):
    """An objective that cannot be called, with the reason."""


def main() -> None:
    """Call the objective in the arguments of this process, and print its result."""
    place, params, seed = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
    try:
        result = call_objective(load_objective(place), place, params, seed)
    except RefusedError as error:
        result = {"refused": str(error)}
    print(f"\n{MARK}{json.dumps(result)}", flush=True)


def load_objective(place: str) -> Callable[..., Any]:
    """Import the function at `module:function`. Raises `RefusedError`."""
    module, _, name = place.partition(":")
    try:
        found: Any = importlib.import_module(module)
    except (Exception, SystemExit) as error:  # a module can raise anything
        if isinstance(error, ModuleNotFoundError) and error.name and f"{module}.".startswith(f"{error.name}."):
            file = f"{error.name.replace('.', '/')}.py"
            reason = f"no file {file} lies in this folder, and no package `{error.name}` is installed"
            raise RefusedError(f"there is no module `{error.name}`: {reason}") from None
        raise RefusedError(f"`{module}` cannot be imported: {describe_error(error)}") from error
    for step in name.split("."):
        if not hasattr(found, step):
            near = difflib.get_close_matches(step, vars(found), n=1) if hasattr(found, "__dict__") else []
            advice = f"; did you mean `{near[0]}`?" if near else ""
            raise RefusedError(f"`{module}` has no `{name}`{advice}")
        found = getattr(found, step)
    if not callable(found):
        raise RefusedError(f"`{place}` is no function")
    return found  # type: ignore[no-any-return]


def call_objective(objective: Callable[..., Any], place: str, params: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Call an objective with params and a seed. Raises `RefusedError` for one that takes other arguments.

    The seed is its argument `seed`, if it has one. It is also an attribute of the trial, as Optuna's users keep it.
    """
    from optuna.trial import FixedTrial  # after the objective's module, which may set how NumPy starts

    trial = FixedTrial(dict(params))
    trial.set_user_attr("seed", seed)
    options = _choose_options(objective, place, trial, seed)
    try:
        result = objective(trial, **options)
    except (Exception, SystemExit) as error:  # the user's code can raise anything
        return {"failed": describe_error(error)}
    try:
        value = float(result)
    except (TypeError, ValueError):
        return {"failed": f"it returned {type(result).__name__}, not a number"}
    return {"value": value} if math.isfinite(value) else {"failed": f"it returned {value}"}


def _choose_options(objective: Callable[..., Any], place: str, trial: Any, seed: int) -> dict[str, int]:
    """Return what the objective takes beside the trial. Raises `RefusedError`."""
    try:
        signature = inspect.signature(objective)
    except (TypeError, ValueError):  # of a function in C
        return {}
    options = {"seed": seed} if "seed" in signature.parameters else {}
    try:
        signature.bind(trial, **options)
    except TypeError:
        taken = f"`{place}` takes {signature}{_find_place(objective)}"
        raise RefusedError(f"{taken}, and must take a trial alone, or a trial and `seed`") from None
    return options


def _find_place(objective: Callable[..., Any]) -> str:
    code = getattr(objective, "__code__", None)
    return f" ({Path(code.co_filename).name}, line {code.co_firstlineno})" if code else ""


if __name__ == "__main__":
    sys.path.insert(0, "")
    main()
