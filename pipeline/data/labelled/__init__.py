"""Images with labels, points or boxes, in whatever format: one way from their files to examples, with all checks."""
