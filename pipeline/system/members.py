"""Own code by its dotted path: what params.yaml names beside the members of a family that are built in.

Where params.yaml takes the name of a loss, a task, …, it also takes a dotted path, such as `my_losses.quantile`: an
object in a file of the project, or of an installed package. This module imports no other package, JAX least of all.
"""

import difflib
import importlib
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from thalweg.system import files
from thalweg.system.files import UserError

KeyPath = tuple[str | int, ...]
AUGMENT = ("offline", "online")
"""The parts of `augment`; their keys are names of augmentations."""


class MemberError(UserError):
    """A fault of own code: its dotted path, and the fault as the end of a sentence."""

    def __init__(self, member: str, fault: str) -> None:
        super().__init__(f"`{member}` {fault}")
        self.member, self.fault = member, fault


def is_dotted(name: Any) -> bool:
    """Return whether a name is a dotted path, and so means own code."""
    parts = name.split(".") if isinstance(name, str) else []
    return len(parts) > 1 and all(part.isidentifier() for part in parts)


def list_dotted_members(tree: Any) -> dict[KeyPath, str]:
    """Return every dotted path in a params file, by the keys that lead to it. The file need not be valid."""
    return {keys: name for keys, value in _list_values(tree) if is_dotted(name := _find_name(keys, value))}


def takes_own_code(keys: KeyPath) -> bool:
    """Return whether own code may be named at these keys of a params file."""
    return _find_name(keys, "") is not None


def import_member(path: str) -> Any:
    """Import what lies at a dotted path: an object in a module, or a module. Raises `MemberError`."""
    module, _, name = path.rpartition(".")
    found = run_own_code(path, importlib.import_module, module)
    if hasattr(found, name):
        return getattr(found, name)
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name != path:  # the module is there, and imports one that is not
            raise MemberError(path, f"fails: {describe_error(error)}") from error
        if hidden := _find_hidden_file(module):
            raise MemberError(path, f"is not there: {hidden} is hidden by another `{module}`; rename it") from None
        near = difflib.get_close_matches(name, vars(found), n=1)
        advice = f"; did you mean `{module}.{near[0]}`?" if near else ""
        raise MemberError(path, f"is not there: `{module}` has no `{name}`{advice}") from None
    except (Exception, SystemExit) as error:
        raise MemberError(path, f"fails: {describe_error(error)}") from error


def import_class(path: str, base: type) -> type[Any]:
    """Import a class that is a subclass of `base`. Raises `MemberError`."""
    member = import_member(path)
    if not (isinstance(member, type) and issubclass(member, base)):
        raise MemberError(path, f"must be a subclass of `{base.__module__}.{base.__name__}`")
    return member


def run_own_code(path: str, function: Callable[..., Any], *inputs: Any, **options: Any) -> Any:
    """Call a function that runs the code at a dotted path. Raises `MemberError` for what it raises.

    A `UserError` passes as it is.
    """
    try:
        return function(*inputs, **options)
    except UserError:
        raise
    except (Exception, SystemExit) as error:  # own code can raise anything
        top = path.partition(".")[0]
        if isinstance(error, ModuleNotFoundError) and error.name and f"{path}.".startswith(f"{error.name}."):
            fault = f"is not there: no file `{top}.py` lies beside params.yaml, and no package `{top}` is installed"
            raise MemberError(path, fault if error.name == top else f"is not there: no module `{error.name}`") from None
        raise MemberError(path, f"fails: {describe_error(error)}") from error


def describe_error(error: BaseException) -> str:
    """Describe an error in a line, with the file and line of the code outside of packages that raised it."""
    text = next(iter(f"{error}".strip().splitlines()), "")
    places = [(file, line) for file, line, _ in _list_own_frames(error)]
    if isinstance(error, SyntaxError):
        text, places = error.msg, [(error.filename or "", error.lineno or 0)]
    place = f" ({Path(places[-1][0]).name}, line {places[-1][1]})" if places else ""
    return f"{type(error).__name__}{f': {text}' if text else ''}{place}"


def blame_member(error: BaseException, paths: Iterable[str]) -> str:
    """Return which of some dotted paths of own code raised an error; '' if none did.

    It is the one whose file is the last in the traceback, and of several in that file the one whose name is there.
    """
    owners: dict[str, list[str]] = {}
    for path in paths:
        for name in (path, path.rpartition(".")[0]):
            if file := getattr(sys.modules.get(name), "__file__", None):
                owners.setdefault(str(file), []).append(path)
    for file, _, function in reversed(_list_own_frames(error)):
        if found := owners.get(file):
            return next((path for path in found if path.rpartition(".")[2] == function), found[0])
    return ""


def _list_own_frames(error: BaseException) -> list[tuple[str, int, str]]:
    """List file, line, and function or class of what an error went through, without packages."""
    others = (str(Path(__file__).parents[1]), sysconfig.get_path("stdlib"), "<")
    frames = ((frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__))
    return [
        (code.co_filename, line, code.co_qualname.partition(".")[0])
        for code, line in frames
        if not code.co_filename.startswith(others) and "site-packages" not in code.co_filename
    ]


def _find_hidden_file(module: str) -> str:
    """Return the file beside params.yaml whose module's name means another file, such as Python's own; '' for none."""
    file, found = Path(f"{module}.py"), getattr(sys.modules[module], "__file__", None)
    is_hidden = files.path_exists(file) and (not found or files.resolve_links(Path(found)) != files.resolve_links(file))
    return str(file) if is_hidden else ""


def _list_values(tree: Any, keys: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield every value below a mapping or list, with the keys that lead to it."""
    branches = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list | tuple) else ()
    for key, value in branches:
        yield (*keys, key), value
        yield from _list_values(value, (*keys, key))


def _find_name(keys: KeyPath, value: Any) -> Any:
    """Return the name of a member that a value or its keys give; None for other values."""
    match keys:
        case ("augment", mode, *names) if mode in AUGMENT and names:
            return None if isinstance(value, dict) else ".".join(map(str, names))
        case ("study", "space", str(path)) if path.startswith(tuple(f"augment.{mode}." for mode in AUGMENT)):
            return path.split(".", 2)[2]
        case ("study", "space", str(path), "choices", _) if path.endswith(".kind"):
            return value
        case ("study", "sampler") | ("task", "metrics", _) | ("report", "sections", _):
            return value
        case (section, *_, "kind") if section != "study":
            return value
    return None
