"""Building blocks of the networks: neuron, wavelet, mixers, attention, hash heads."""
