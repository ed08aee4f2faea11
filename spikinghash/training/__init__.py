"""The training loop, Ray Train around it, and checkpoints."""
