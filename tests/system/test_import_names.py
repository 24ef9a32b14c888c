"""The names that code imports by statements and calls."""

import ast

import pytest

from thalweg.system.import_names import list_computed_lines, list_imported_names


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import a.b, c as d", {"a.b", "c"}),
        ("from a import b", {"a", "a.b"}),
        ("from . import b", {".", ".b"}),
        ("from ..a import b", {"..a", "..a.b"}),
        ("import_module('a.b')", {"a.b"}),
        ("importlib.import_module(name='a.b').C", {"a.b"}),
        ("import_module('.a', 'b.c')", {"b.c.a"}),
        ("import_module('..a', package='b.c')", {"b.a"}),
        ("import_module('.a', __package__)", {".a"}),
        ("import_module('.a', package=__name__)", {".a"}),
        ("import_module('.a', __spec__.parent)", {".a"}),
        ("__import__('a.b')", {"a.b"}),
        ("__import__('a', globals(), locals(), ['b', 'c'], 0)", {"a", "a.b", "a.c"}),
        ("__import__('a', level=1, fromlist=('b',))", {".a", ".a.b"}),
        ("def f():\n    return [import_module('a') for _ in range(2)]", {"a"}),
        ("print('a'); load.name('b')", set()),
    ],
)
def test_name_in_the_code_is_found(code: str, names: set[str]) -> None:
    assert set(list_imported_names(ast.parse(code))) == names
    assert list(list_computed_lines(ast.parse(code))) == []


@pytest.mark.parametrize(
    "call",
    [
        "import_module('a' + b)",
        "import_module(f'{a}.b')",
        "import_module(name)",
        "import_module()",
        "import_module(*names)",
        "import_module(3)",
        "import_module('.a', name)",
        "import_module('...a', 'b')",
        "__import__(name)",
        "__import__('a', fromlist=names)",
        "spec_from_file_location('a', path)",
        "runpy.run_path('a.py')",
    ],
)
def test_name_that_is_made_at_run_time_has_its_line(call: str) -> None:
    tree = ast.parse(f"\ndef f():\n    {call}")
    assert list(list_computed_lines(tree)) == [3]
    assert list(list_imported_names(tree)) == []
