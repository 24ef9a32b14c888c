"""docs/api.md, made from the docstrings of the Python API: `python -m docs.api`."""

import ast
import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

import thalweg
from thalweg.system import files

PAGE = Path(__file__).with_name("api.md")
NAMES = (
    *("run", "Data", "Study", "Study.predict", "Study.report", "Best", "Finding", "load", "Report", "Report.open"),
    "UserError",
)
"""What the page describes, in its order."""
WIDTH = 110
"""Characters in a line of a signature."""
HEAD = """# How do I use Thalweg from Python?

In a notebook or a script, `thalweg.run` runs a study and returns what it found:

<!-- api: head -->
```python
import thalweg

study = thalweg.run("digits", {"study.trials": 8, "training.epochs": 6})
study.best  # the winner: its settings and its value, with an interval
study.trials  # a data frame, one row a trial
study.findings  # what the report concludes
study.report()  # the report itself, within the notebook
```

[notebook.ipynb](notebook.ipynb) is a whole example, with arrays in place of files.

The stages run in processes of their own, as `dvc repro` runs them. So a notebook may use JAX before or after, and
importing `thalweg` is quick. Environment variables such as `XLA_FLAGS` count as on the command line. On an accelerator,
JAX takes most of the memory when it is first used: run the study before that, or set
`XLA_PYTHON_CLIENT_PREALLOCATE=false`.

A study's folder is a project: every command of Thalweg works in it. Git ignores `studies/`, and you may delete it.

**What you can rely on.** The names and signatures on this page, the fields of its classes, the keys of params.yaml
([params.md](params.md)), the files in `reports/` and their columns ([results.md](results.md)) change only with an entry
in [CHANGELOG.md](../CHANGELOG.md). Before one of them goes, a version still takes it, with a warning. Modules below
`thalweg` may change at any time, but for those that [own-code.md](own-code.md) names.
"""


def main() -> None:
    files.write_text(PAGE, build_page())
    print(PAGE.name)


def build_page() -> str:
    """Build the page: its head, and for each name the signature and the docstring."""
    return "\n".join([HEAD, *(_describe_name(name) for name in NAMES)])


def find_member(name: str) -> Any:
    """Return the class, function or method of a name on the page."""
    member: Any = thalweg
    for part in name.split("."):
        member = getattr(member, part)
    return member


def format_signature(name: str) -> str:
    """Return the signature of a function, or of the class of a name, as it is written in the source."""
    node = ast.parse(textwrap.dedent(inspect.getsource(find_member(name)))).body[0]
    if isinstance(node, ast.FunctionDef):
        arguments = re.sub(r"^self(, )?", "", ast.unparse(node.args)).replace("=", " = ")
        return f"{name}({arguments}) -> {ast.unparse(node.returns) if node.returns else None}"
    assert isinstance(node, ast.ClassDef)
    if issubclass(find_member(name), Exception):
        return f"{name}(Exception)"
    return f"{name}({', '.join(ast.unparse(part) for part in node.body if isinstance(part, ast.AnnAssign))})"


def list_examples(name: str) -> list[str]:
    """Return the examples in the docstring of a name."""
    return re.findall(r"^```python\n(.*?)^```", _read_docstring(name), re.MULTILINE | re.DOTALL)


def _describe_name(name: str) -> str:
    level = "###" if "." in name else "##"
    text = _read_docstring(name).replace("```python\n", f"<!-- api: {name} -->\n```python\n")
    signature = format_signature(name)
    if len(signature) > WIDTH:  # each argument has a line
        opened, _, rest = signature.partition("(")
        arguments, _, closed = rest.rpartition(")")
        signature = "\n    ".join([f"{opened}(", *re.split(r"(?<=,) (?=\*|\w+: )", arguments)]) + f"\n){closed}"
    return f"{level} {name}\n\n```\n{signature}\n```\n\n{text}\n"


def _read_docstring(name: str) -> str:
    return f"{inspect.getdoc(find_member(name))}"


if __name__ == "__main__":
    main()
