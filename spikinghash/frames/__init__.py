"""`Events` to frame tensors, and their store."""
