"""Where examples come from: one source a file or folder, and nothing else."""
