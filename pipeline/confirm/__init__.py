"""Fresh seeds, the test set, the final model."""
