"""Is the winner of an Optuna study better than its default? Any objective in Python runs on fresh seeds to tell."""
