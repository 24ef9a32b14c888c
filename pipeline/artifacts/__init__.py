"""What stages leave on disk for each other."""
