"""The typed form of params.yaml, and the checks on it."""
