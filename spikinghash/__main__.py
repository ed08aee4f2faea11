"""`python -m spikinghash`."""

from spikinghash.cli import main

main()
