"""Where the stages leave what they make, relative to the project."""

from pathlib import Path

PARAMS = Path("params.yaml")

ARTIFACTS = Path("artifacts")
PREPARED = ARTIFACTS / "prepared"
AUGMENTED = ARTIFACTS / "augmented"
BASELINE = ARTIFACTS / "baseline"
EVALUATION = ARTIFACTS / "evaluation"
STUDY = ARTIFACTS / "study"
CONFIRM = ARTIFACTS / "confirm"
DIAGNOSIS = ARTIFACTS / "diagnosis"
MODEL = ARTIFACTS / "model"

EXAMPLES, PARTS, MANIFEST = PREPARED / "examples.npz", PREPARED / "parts.npz", PREPARED / "manifest.json"
COPIES, SHEET = AUGMENTED / "copies.npz", AUGMENTED / "contact-sheet.png"
BASELINE_CURVES, BASELINE_WEIGHTS = BASELINE / "curves.csv", BASELINE / "weights.msgpack"
SCORES, SCORED = EVALUATION / "metrics.json", EVALUATION / "predictions.csv"
BEST, FOUND = STUDY / "best.yaml", STUDY / "found.json"
RUNS, PREDICTIONS = CONFIRM / "runs.csv", CONFIRM / "predictions.csv"
WINNER, REFERENCES = CONFIRM / "winner.yaml", CONFIRM / "references.csv"
LESS, TERRAIN, GRADIENTS = DIAGNOSIS / "less.csv", DIAGNOSIS / "terrain", DIAGNOSIS / "gradients.csv"
WORST, PICTURES = CONFIRM / "worst.csv", CONFIRM / "pictures"

REPORTS = Path("reports")
TRIALS = REPORTS / "trials.csv"
CURVES = REPORTS / "curves.csv"
SUMMARY = REPORTS / "summary.json"
METRICS = REPORTS / "metrics.json"
TIMING = REPORTS / "timing.json"
