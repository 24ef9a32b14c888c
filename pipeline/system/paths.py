"""Paths of params.yaml, of the state of studies and of the stages' outputs, relative to the project."""

from importlib.metadata import version
from pathlib import Path

PARAMS = Path("params.yaml")
PARAMS_SCHEMA = Path("params.schema.json")
STATE_FOLDER = Path(".thalweg")
STUDIES = Path("studies")
"""The folder of studies that Python runs outside of any project, beside the params file."""

ARTIFACTS = Path("artifacts")
INPUTS = ARTIFACTS / "inputs"
PREPARED = ARTIFACTS / "prepared"
AUGMENTED = ARTIFACTS / "augmented"
BASELINE = ARTIFACTS / "baseline"
EVALUATION = ARTIFACTS / "evaluation"
STUDY = ARTIFACTS / "study"
CONFIRM = ARTIFACTS / "confirm"
DIAGNOSIS = ARTIFACTS / "diagnosis"
MODEL = ARTIFACTS / "model"

EXAMPLES = PREPARED / "examples.npz"
SPLITS = PREPARED / "parts.npz"
MANIFEST = PREPARED / "manifest.json"
COPIES = AUGMENTED / "copies.npz"
CONTACT_SHEET = AUGMENTED / "contact-sheet.png"
BASELINE_CURVES = BASELINE / "curves.csv"
BASELINE_WEIGHTS = BASELINE / "weights.msgpack"
BASELINE_METRICS = EVALUATION / "metrics.json"
BASELINE_PREDICTIONS = EVALUATION / "predictions.csv"
BEST_PARAMS = STUDY / "best.yaml"
STUDY_RECORD = STUDY / "found.json"
JUDGED = CONFIRM / "judged.json"
RUNS = CONFIRM / "runs.csv"
PREDICTIONS = CONFIRM / "predictions.csv"
WINNER_PARAMS = CONFIRM / "winner.yaml"
REFERENCES = CONFIRM / "references.csv"
ABLATIONS = DIAGNOSIS / "less.csv"
LANDSCAPE = DIAGNOSIS / "terrain"
GRADIENTS = DIAGNOSIS / "gradients.csv"
WORST_EXAMPLES = CONFIRM / "worst.csv"
TYPICAL_EXAMPLES = CONFIRM / "typical.csv"
PICTURES = CONFIRM / "pictures"

REPORTS = Path("reports")
TRIALS = REPORTS / "trials.csv"
CURVES = REPORTS / "curves.csv"
SUMMARY = REPORTS / "summary.json"
METRICS = REPORTS / "metrics.json"
FINDINGS = REPORTS / "findings.json"
TIMING = REPORTS / "timing.json"
EXPECTED_TIMES = STATE_FOLDER / "expected-times.json"
WRITTEN_PARAMS = STATE_FOLDER / "written-params.sha256"
"""The digest of params.yaml as `thalweg use` or `init` wrote it."""


def name_script_bundle() -> Path:
    """Return where the scripts of charts are kept, for the version of vl-convert that is installed."""
    return STATE_FOLDER / f"vega-{version('vl-convert-python')}.js"
