"""Two studies side by side: what differs, and whose winner is better."""
