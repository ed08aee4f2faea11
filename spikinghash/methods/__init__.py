"""Hashing methods: network, loss, and how bits are read."""
