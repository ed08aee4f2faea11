"""Hamming search: the nearest rows and all rows within a radius."""
