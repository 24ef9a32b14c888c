"""Numbers from tables: no findings, no charts."""
