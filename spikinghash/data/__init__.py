"""Samples: what they are, stores of them, and their way into training, in an order that anyone can recompute."""
