"""The densest valid EVT 3: whole rows of vector words, close to six events in a byte."""

import numpy as np

HEADER = b"% evt 3.0\n% format EVT3\n% geometry 1280x720\n% end\n"
EVENTS_PER_FRAME = 106 * 12 * 720


def dense_evt3(megabytes):
    row = np.array([0x0000, 0x3000] + [0x4FFF] * 106, "<u2")
    frame = np.tile(row, (720, 1))
    frame[:, 0] = np.arange(720)
    count = int(megabytes * 1e6 / frame.nbytes)
    times = np.array([[0x8000 | k >> 12, 0x6000 | k & 0xFFF] for k in range(count)], "<u2")
    return HEADER + np.concatenate([times, np.tile(frame.reshape(1, -1), (count, 1))], axis=1).tobytes()
