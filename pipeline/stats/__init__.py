"""Intervals, tests and learning curves: NumPy and SciPy only."""
