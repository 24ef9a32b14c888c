"""Is B better than A? Two commands run in pairs of the same seed until their difference is clear."""
