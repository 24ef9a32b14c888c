"""Diagnoses of the winner: ablations, the loss landscape, the gradient check."""
