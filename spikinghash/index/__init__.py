"""Hamming search over codes."""
