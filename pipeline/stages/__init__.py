"""The pipeline's stages, each a thin `main(config)` in its own file. The stage `inputs` runs before them all."""

STAGE_NAMES = ("prepare", "augment", "train", "evaluate", "study", "confirm", "diagnose", "report")
