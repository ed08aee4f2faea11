"""`python -m spikinghash`; `spikinghash/__init__.py` has taken the current directory off the path by now."""

import sys

from spikinghash import start
from spikinghash.cli import main

# a checkout that was found there is still found, and nothing that lies beside it
sys.meta_path.insert(0, start.OurPackages)
main()
