"""Files that lie in the package beside the code: presets, the files of a new project, the parts of the page."""

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
"""The folder of the package, in a checkout as in an installed wheel."""


def find_package_file(*parts: str) -> Path:
    """Return the path of a file or folder of the package, named by its parts below `thalweg`."""
    return PACKAGE.joinpath(*parts)
