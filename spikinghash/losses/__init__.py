"""Losses, one a file: of tensors, without state but `SoftSimilarity`'s."""
