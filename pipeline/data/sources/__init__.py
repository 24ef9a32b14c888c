"""The data sources: each file or folder here is one source, and nothing else lies here."""
