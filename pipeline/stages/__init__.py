"""The pipeline's stages, each a thin `main(config)` in its own file."""

STAGE_NAMES = ("prepare", "augment", "train", "evaluate", "study", "confirm", "diagnose", "report")
