"""Examples, their splits, and the sources that they come from."""
