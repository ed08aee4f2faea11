"""Spiking neurons: modules that map [T, ...] to spikes and start at rest in every call."""
