"""How noisy a value is: seeds, folds, groups and draws."""
