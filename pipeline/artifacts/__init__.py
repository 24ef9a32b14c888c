"""The files that stages leave on disk for each other, typed."""
