"""How often a training program was compiled in this process, for reports/timing.json."""

SECONDS: list[float] = []
"""Seconds of each compilation."""
