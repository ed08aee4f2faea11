"""Clips on their way into training: a cache on disk, read batch by batch, in an order that anyone can recompute."""
