"""The ground that the winner stands on: maps, lines, curvature."""
