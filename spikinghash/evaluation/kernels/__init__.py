"""What retrieval metrics count: distance histograms and sums of precision."""
