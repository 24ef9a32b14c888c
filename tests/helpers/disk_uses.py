"""Find where a module touches the disk, by the names that it uses."""

import ast
from collections.abc import Iterator

MODULES = {"fcntl", "filelock", "fileinput", "glob", "mmap", "shelve", "shutil", "sqlite3", "subprocess", "tempfile"}
"""Modules that touch the disk, or start programs that do."""
PURE = {
    *("environ", "_Environ", "__file__", "_exit", "cpu_count", "devnull", "fsencode", "getpid", "pathsep", "strerror"),
    *("path.join", "path.relpath", "sched_getaffinity", "sysconf", "sysconf_names"),
}
"""What of `os` touches no file."""
METHODS = {
    *("chmod", "cwd", "exists", "expanduser", "glob", "hardlink_to", "is_dir", "is_file", "is_mount", "is_symlink"),
    *("iterdir", "lstat", "mkdir", "open", "read_bytes", "read_text", "readlink", "resolve", "rglob", "rmdir"),
    *("samefile", "stat", "symlink_to", "touch", "tofile", "unlink", "walk", "write_bytes", "write_text"),
}
"""Methods of paths and files. `rename` and `replace` are left out: tables and texts have them, too."""
LOADERS = {
    *("np.fromfile", "np.genfromtxt", "np.load", "np.loadtxt", "np.memmap", "np.save", "np.savetxt", "np.savez"),
    *("pd.read_csv", "pd.read_excel", "pd.read_json", "pd.read_parquet", "pd.read_pickle", "Image.open"),
}
OWNERS = {"files", "ast"}
"""Modules whose functions have such names: `files.read_bytes`, `ast.walk`."""


def find_disk_uses(source: str) -> set[str]:
    """Return the names by which a module touches the disk."""
    return set(_list_uses(ast.parse(source)))


def _list_uses(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module:
            owner = node.module.split(".")[0]
            names = {f"os.{alias.name}" for alias in node.names} if owner == "os" else {owner} & MODULES
            yield from (name for name in names if name.removeprefix("os.") not in PURE)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
            yield "open"
        elif isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            owner = name.split(".")[0]
            if name in LOADERS or (_is_of_os(node) and name.removeprefix("os.") not in PURE):
                yield name
            elif node.attr in METHODS and owner not in {*OWNERS, "os", "np", "pd", "Image"}:
                yield f".{node.attr}"


def _is_of_os(node: ast.Attribute) -> bool:
    """Return whether a name is `os.name`, or `os.path.name`, and no part of a longer one."""
    return ast.unparse(node.value) in ("os", "os.path") and node.attr != "path"
