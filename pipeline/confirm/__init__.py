"""Fresh seeds, the test part, the final model."""
