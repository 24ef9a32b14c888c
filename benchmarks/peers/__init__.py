"""Contestants without this engine; each script runs the whole study once."""
