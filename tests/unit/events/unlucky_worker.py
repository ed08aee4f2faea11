"""A decoding child to which the system does something while it reads its first file, as by chance."""

import sys

#: Content `lucky SIGNAL FILE`: the child gets the signal unless FILE exists, which it makes; then it is a recording.
UNLUCKY = """
import os, signal
from pathlib import Path
from spikinghash.events import decode_worker, nmnist, reader

def read(data, options):
    _, number, mark, content = data.split(b" ", 3)
    if not os.path.exists(mark):
        Path(mark.decode()).touch()
        os.kill(os.getpid(), int(number))
    return nmnist.read(content, options)

reader.FORMATS = (reader.Format("lucky", lambda head, size: head.startswith(b"lucky "), read), *reader.FORMATS)
decode_worker.main()
"""

COMMAND = (sys.executable, "-c", UNLUCKY)
