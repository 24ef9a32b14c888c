"""What runs on the device, and what reads its curves: pure functions, no disk, no pandas, no search."""
