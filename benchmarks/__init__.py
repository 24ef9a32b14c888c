"""The same study by this engine and by others, side by side, and what this engine costs."""
