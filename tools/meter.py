"""Seconds and peak memory of a process and its children.

A lab's budget is for a machine of its own. Where other work takes turns on the cores the clock runs on while the lab
waits, so the budget is compared with `needed`: the seconds of the clock, or those of the processor if they are fewer.
"""

import threading
import time

import psutil

#: Seconds between two looks at the memory.
INTERVAL = 0.05


class Meter:
    """Watches a process tree from construction to `stop`.

    `seconds` of the clock, `busy_seconds` of processors (of all threads), `peak_bytes` (resident memory, summed).
    """

    def __init__(self, pid: int) -> None:
        self.peak_bytes = 0
        self.seconds = self.busy_seconds = 0.0
        self._start = time.perf_counter()
        self._process = psutil.Process(pid)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def needed(self) -> float:
        """The seconds that the work takes on a machine of its own, at most."""
        return min(self.seconds, self.busy_seconds)

    def stop(self) -> None:
        """End the measurement with one last look."""
        self._done.set()
        self._thread.join()
        self._look()
        self.seconds = time.perf_counter() - self._start

    def _watch(self) -> None:
        while not self._done.wait(INTERVAL):
            self._look()

    def _look(self) -> None:
        total, busy = 0, 0.0
        try:
            tree = [self._process, *self._process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for process in tree:
            try:
                total += process.memory_info().rss
                times = process.cpu_times()
                busy += times.user + times.system
            except psutil.NoSuchProcess:
                continue
        self.peak_bytes = max(self.peak_bytes, total)
        self.busy_seconds = max(self.busy_seconds, busy)
