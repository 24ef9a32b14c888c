"""What varies between equal runs in this process, for reports/timing.json."""

COMPILE_SECONDS: list[float] = []
"""Of each compilation of a training program."""

OUT_OF_MEMORY_RETRIES: list[int] = []
"""How many lanes were left on a device each time that its memory did not suffice."""

TRAINED_EPOCHS: list[int] = []
"""Epochs that were trained, of each segment's lanes together; what is replayed from a journal counts none."""
