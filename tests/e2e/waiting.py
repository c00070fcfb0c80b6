# SPDX-License-Identifier: MIT
"""Waiting for something to become true, with a deadline: nothing in this suite sleeps for a fixed time."""
import time


def until(condition, timeout=5.0, what="the condition", interval=0.004):
    """The first true value of condition(); AssertionError after timeout seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("%s did not come true within %g s" % (what, timeout))
        time.sleep(interval)
        interval = min(interval * 1.5, 0.05)


class Clock:
    """with Clock() as t: ...; t.seconds"""

    def __enter__(self):
        self.start = time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self.start

    def so_far(self):
        return time.monotonic() - self.start
