"""The Python API: run a study from a notebook or a script, and read what it found. Its names are in `thalweg` itself.

Nothing here imports JAX: all that trains or predicts runs in processes of its own, as the command line does.
"""
