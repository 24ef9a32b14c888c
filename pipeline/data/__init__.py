"""Examples, how they are split, and the sources they come from."""
