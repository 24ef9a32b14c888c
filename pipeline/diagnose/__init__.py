"""What needs the winner's training again: ablations, the loss landscape, the gradient check."""
