"""What `spikinghash` shows of itself: codes, hits, a database to read, framing, training on arrays."""
