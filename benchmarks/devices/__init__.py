"""1,000 devices on paper: the measured cost of each part, and a simulation of the scheduler."""
