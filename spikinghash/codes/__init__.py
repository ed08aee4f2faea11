"""Packed codes, their database, and bulk encoding."""
