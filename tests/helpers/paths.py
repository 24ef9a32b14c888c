"""Where the project lies."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
EXPERIMENT = ROOT / "tests/helpers/experiment.yaml"
"""A params file that tests edit; the default may change without them."""
