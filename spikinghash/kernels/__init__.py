"""Machine code over arrays; imports nothing of the project."""
