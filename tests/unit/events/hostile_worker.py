"""A decoding child with formats that crash, hang, leave or eat memory, for the tests that must survive them."""

import sys

#: A worker whose extra formats misbehave when they see their magic word.
HOSTILE = """
import ctypes, time
import numpy as np
from spikinghash.events import reader, decode_worker

def crash(data, *_): ctypes.string_at(0)
def hang(data, *_): time.sleep(600)
def eat(data, *_): return np.ones(1 << 31, np.uint8).sum()
def leave(data, *_):
    import os
    os._exit(7)

extra = [
    reader.Format(name, lambda head, size, w=name.encode(): head.startswith(w), function)
    for name, function in {"crash": crash, "hang": hang, "eat": eat, "leave": leave}.items()
]
reader.FORMATS = (*extra, *reader.FORMATS)
decode_worker.main()
"""

#: Command of that child; a file is such a format if it starts with its name.
COMMAND = (sys.executable, "-c", HOSTILE)
