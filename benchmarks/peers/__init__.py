"""Contestants that do not use this engine: each a script that runs the whole study once."""
