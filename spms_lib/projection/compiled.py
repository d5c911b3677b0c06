"""The compiler, where there is one: numba turns a loop into machine code, and without it the loop runs as it stands.

Kernels hold no Python objects and release the interpreter's lock, so halves of a level run side by side in threads.
numba's own threads are left alone: a process that has used them cannot be forked.
"""

from collections.abc import Callable
from threading import Thread
from typing import Any, TypeVar, cast

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

WORTH_A_THREAD = 1_000_000  # numbers below which starting a thread costs more than it saves

try:
    from numba import config, njit

    COMPILED = not config.DISABLE_JIT  # type: ignore[attr-defined]
except ImportError:  # pragma: no cover - the lock file installs numba
    COMPILED = False


def kernel(function: Kernel) -> Kernel:
    """Compile a loop over arrays at its first call, and keep the machine code for the next process."""
    if not COMPILED:
        return function
    return cast("Kernel", njit(cache=True, nogil=True, error_model="numpy")(function))


def in_halves(work: Callable[[int, int], None], start: int, stop: int, numbers: int) -> None:
    """Call `work(start, stop)`; with many numbers, half of it in a second thread."""
    if not COMPILED or numbers < WORTH_A_THREAD:
        work(start, stop)
        return
    middle = (start + stop) // 2
    other = Thread(target=work, args=(middle, stop))
    other.start()
    work(start, middle)
    other.join()
