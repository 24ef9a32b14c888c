"""A Config becomes a Program that the engine trains."""
