"""Tables: the same values give the same bytes. Stages without tables need not import pandas."""

import io
from pathlib import Path
from typing import Any

import pandas as pd

from thalweg.system.files import convert_errors, read_bytes, write_text


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a CSV file with exact floats."""
    write_text(path, format_table(table))


def format_table(table: pd.DataFrame) -> str:
    """Return a table as CSV with exact floats."""
    return table.to_csv(index=False, lineterminator="\n")


def read_table(path: Path, **options: Any) -> pd.DataFrame:
    """Read a CSV file. Raises `UserError` if there is none or it cannot be parsed.

    Only an empty cell is a missing value: a class may be called `None` or `NA`.
    """
    return parse_table(path, read_bytes(path), **options)


def parse_table(path: Path, content: bytes, **options: Any) -> pd.DataFrame:
    """Parse the content of a CSV file as `read_table` does; `path` names it in an error."""
    with convert_errors(
        path, "not a CSV table in UTF-8", pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError
    ):
        table: pd.DataFrame = pd.read_csv(io.BytesIO(content), keep_default_na=False, na_values=[""], **options)
        return table
