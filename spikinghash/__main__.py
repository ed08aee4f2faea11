"""`python -m spikinghash`."""

import sys

# `python -m` puts the current directory first, where recordings may lie, and so may a `json.py` among them
if not sys.flags.safe_path and sys.path:
    del sys.path[0]

from spikinghash import start
from spikinghash.cli import main

# a checkout that was found there is still found, and nothing that lies beside it
sys.meta_path.insert(0, start.OurPackages)
main()
