"""Frozen encoders: pictures and texts to features, by what any machine can make again from a description."""
