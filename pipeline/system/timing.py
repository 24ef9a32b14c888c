"""What varies between equal runs in this process, for reports/timing.json."""

SECONDS: list[float] = []
"""Seconds of each compilation of a training program."""

HALVINGS: list[int] = []
"""How many lanes were left on a device each time that its memory did not suffice."""
