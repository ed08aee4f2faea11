"""Memory of a process and all its children while something runs."""

import threading
import time

import psutil


class Watch:
    """`with Watch() as watch:` measures this process's tree every few milliseconds; `most_bytes` above the start."""

    def __enter__(self):
        self.most_bytes = 0
        self._start = self._now()
        self._running = True
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._running = False
        self._thread.join()

    def _look(self):
        while self._running:
            self.most_bytes = max(self.most_bytes, self._now() - self._start)
            time.sleep(0.005)

    @staticmethod
    def _now():
        total = 0
        me = psutil.Process()
        for process in [me, *me.children(recursive=True)]:
            try:
                # what two processes share, as after a fork, counts half for each
                total += process.memory_full_info().pss
            except psutil.Error:
                continue
        return total
