"""Inference on CPU: a plan made from a network from outside; the network itself is an ordinary module."""
