"""How often the report's conclusions are right: thousands of simulated studies whose truth is known."""
