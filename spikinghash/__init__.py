"""Spiking hashing of event-camera recordings: raw events to frames to packed codes to neighbours."""

__version__ = "0.1.0"
