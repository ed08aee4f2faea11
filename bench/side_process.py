"""Processes that do a benchmark's jobs on request, so that each side runs alone and as its users would run it."""

from __future__ import annotations

import multiprocessing as mp
import socket
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

#: What a side can do, by name.
Jobs = dict[str, Callable[[], Any]]


def serve(pipe: Connection, make: Callable[..., Jobs], arguments: tuple[Any, ...]) -> None:
    """A side's process: answer each job's name with (seconds, result)."""
    jobs = make(*arguments)
    pipe.send("ready")
    while (name := pipe.recv()) is not None:
        started = time.perf_counter()
        result = jobs[name]()
        pipe.send((time.perf_counter() - started, result))


class Side:
    """One or more processes that do the same job together."""

    def __init__(self, make: Callable[..., Jobs], *arguments: tuple[Any, ...]) -> None:
        spawn = mp.get_context("spawn")
        self.pipes = []
        for each in arguments:
            pipe, theirs = spawn.Pipe()
            spawn.Process(target=serve, args=(theirs, make, each), daemon=True).start()
            self.pipes.append(pipe)
        for pipe in self.pipes:
            pipe.recv()

    def run(self, job: str) -> tuple[float, Any]:
        """Seconds of the slowest process, and the first one's result."""
        for pipe in self.pipes:
            pipe.send(job)
        answers = [pipe.recv() for pipe in self.pipes]
        return max(seconds for seconds, _ in answers), answers[0][1]

    def close(self) -> None:
        """End the processes."""
        for pipe in self.pipes:
            pipe.send(None)


def free_port() -> int:
    """A port for the workers to meet at."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def best_seconds(sides: dict[str, tuple[Side, str]], rounds: int) -> dict[str, float]:
    """Shortest time of each side over alternating rounds, after one that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds + 1):
        for name, (side, job) in sides.items():
            seconds[name].append(side.run(job)[0])
    return {name: min(times[1:]) for name, times in seconds.items()}
