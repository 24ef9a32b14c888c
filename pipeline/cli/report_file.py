"""The report as one file to send."""

import io
import zipfile
from pathlib import Path

from thalweg.artifacts.own_code import name_record
from thalweg.system import files
from thalweg.system.paths import (
    CURVES,
    FINDINGS,
    JUDGED,
    MANIFEST,
    METRICS,
    PARAMS,
    REPORTS,
    RUNS,
    STUDY_RECORD,
    SUMMARY,
    TRIALS,
    WINNER_PARAMS,
)

REPORT = REPORTS / "report.html"
ARCHIVE = REPORTS / "report.zip"
TABLES = (SUMMARY, METRICS, FINDINGS, TRIALS, CURVES, PARAMS, WINNER_PARAMS)
FACTS = (RUNS, JUDGED, MANIFEST, STUDY_RECORD, name_record("study"))
"""What `thalweg diff` reads beside the tables. An earlier version of Thalweg made not all of them."""
OLDEST = (1980, 1, 1, 0, 0, 0)
"""The date of all files in the archive: the same report gives the same bytes."""


def pack_report() -> Path:
    """Write the report, its figures and its tables as one ZIP file; return its path."""
    require_report()
    figures = [REPORTS / "figures" / name for name in files.list_files(REPORTS / "figures")]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (REPORT, REPORTS / "report.md", *figures, *TABLES, *filter(files.path_exists, FACTS)):
            name = path.relative_to(REPORTS) if path.is_relative_to(REPORTS) else path
            if path in TABLES and not files.path_exists(path):
                raise files.UserError(
                    f"{path}: not there now; a stage that runs makes it. Wait for it, or `thalweg run`"
                )
            archive.writestr(zipfile.ZipInfo(f"report/{name.as_posix()}", OLDEST), files.read_bytes(path))
    files.write_bytes(ARCHIVE, content.getvalue())
    return ARCHIVE


def require_report() -> Path:
    """Return the path of the report; raise `UserError` if there is none."""
    if not files.path_exists(REPORT):
        raise files.UserError(f"{REPORT}: there is no report yet. Run `thalweg run`")
    return REPORT
