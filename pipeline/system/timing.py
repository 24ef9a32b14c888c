"""Measurements of this process that vary between equal runs, for reports/timing.json."""

COMPILE_SECONDS: list[float] = []
"""Duration of each compilation of a training program."""

OUT_OF_MEMORY_RETRIES: list[int] = []
"""Number of lanes on a device after each time that its memory was exceeded."""

TRAINED_EPOCHS: list[int] = []
"""Epochs trained in each segment, summed over its lanes; replays from a journal do not count."""
