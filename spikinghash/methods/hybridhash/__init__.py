"""HybridHash (He and Wei, ICMR 2024, arXiv 2405.07524): pictures by convolution and attention within nested blocks."""
