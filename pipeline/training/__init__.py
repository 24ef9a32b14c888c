"""From a Config to a Program that the engine trains."""
