"""Training workers as processes of their own, which meet at a free port of this machine."""

import multiprocessing
import socket


def results_of(worker, count, *rest):
    """What each `worker(rank, port, *rest, found)` puts into `found`, a tuple that begins with its rank, in order."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    found = context.Queue()
    workers = [context.Process(target=worker, args=(rank, port, *rest, found), daemon=True) for rank in range(count)]
    for process in workers:
        process.start()
    got = sorted((found.get(timeout=120) for _ in workers), key=lambda one: one[0])
    for process in workers:
        process.join(timeout=60)
    return got
