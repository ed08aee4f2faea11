"""SpikeHash (arXiv 2606.00740), reconstructed: images and texts into one space of codes, by spikes, without labels."""
