"""The machine: environment, files, clock. Nothing here imports JAX when it is loaded."""
