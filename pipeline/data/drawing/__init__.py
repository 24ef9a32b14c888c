"""How scenes are drawn: from shapes to people and places, from their layout to an image and its truth."""
