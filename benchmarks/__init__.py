"""Benchmarks: the same study by this engine and by other tools, and this engine's costs."""
