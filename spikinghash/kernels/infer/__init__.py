"""Kernels of whole layers in inference."""
