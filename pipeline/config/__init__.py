"""params.yaml as frozen, typed parts, and all that can be wrong with it."""
