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

EXAMPLES = PREPARED / "examples.npz"
PARTS = PREPARED / "parts.npz"
MANIFEST = PREPARED / "manifest.json"
COPIES = AUGMENTED / "copies.npz"
SHEET = AUGMENTED / "contact-sheet.png"
BASELINE_CURVES = BASELINE / "curves.csv"
BASELINE_WEIGHTS = BASELINE / "weights.msgpack"
SCORES = EVALUATION / "metrics.json"
SCORED = EVALUATION / "predictions.csv"
BEST = STUDY / "best.yaml"
FOUND = STUDY / "found.json"
RUNS = CONFIRM / "runs.csv"
PREDICTIONS = CONFIRM / "predictions.csv"
WINNER = CONFIRM / "winner.yaml"
REFERENCES = CONFIRM / "references.csv"
LESS = DIAGNOSIS / "less.csv"
TERRAIN = DIAGNOSIS / "terrain"
GRADIENTS = DIAGNOSIS / "gradients.csv"
WORST = CONFIRM / "worst.csv"
PICTURES = CONFIRM / "pictures"

REPORTS = Path("reports")
TRIALS = REPORTS / "trials.csv"
CURVES = REPORTS / "curves.csv"
SUMMARY = REPORTS / "summary.json"
METRICS = REPORTS / "metrics.json"
TIMING = REPORTS / "timing.json"
