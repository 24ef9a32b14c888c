"""What the confirmed runs say of winner, runners-up and baseline."""
