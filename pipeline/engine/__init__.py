"""One compiled program, many lanes."""
