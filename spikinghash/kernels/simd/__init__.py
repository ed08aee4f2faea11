"""Vector code generation: what one register of a vector unit does in a kernel."""
