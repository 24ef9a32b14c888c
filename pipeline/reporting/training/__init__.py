"""How trainings went: where they stopped, stuck, swung or were at their best."""
