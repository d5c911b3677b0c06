"""Kernels of a run: this very interpreter, and stoppable all at once."""

import os
import subprocess
import sys
import threading
from typing import Any


class Kernels:
    """The kernels that are at work, so that an interrupted run leaves none behind.

    Attributes
    ----------
    stopped
        True once `stop` was called; kernels started after that are ended at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started: list[subprocess.Popen[bytes]] = []
        self.stopped = False

    def add(self, process: "subprocess.Popen[bytes]") -> None:
        """Remember a kernel that was started, and forget those that have ended."""
        with self._lock:
            self._started = [*(one for one in self._started if one.returncode is None), process]
            if self.stopped:
                process.kill()

    def stop(self) -> None:
        """End all kernels; their notebooks fail within a second or two."""
        with self._lock:
            self.stopped = True
            for process in self._started:
                process.kill()  # does nothing to one that has ended


def kernel_manager(environment: dict[str, str], kernels: Kernels | None) -> type[Any]:
    """Make a kernel manager class that starts this interpreter, whatever kernels are installed.

    A kernelspec named `python3` in the user's home comes first for Jupyter, and may belong to
    another environment; the notebooks of a run need the packages of this one.

    Parameters
    ----------
    environment
        Variables to add to those of this process.
    """
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from traitlets import default

    class ThisInterpreter(KernelSpecManager):  # type: ignore[misc,unused-ignore]
        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            return KernelSpec(
                argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                name=kernel_name,
                display_name="Python 3",
                language="python",
                metadata={"supported_encryption": ["curve"]},
            )

    class RunKernel(AsyncKernelManager):  # type: ignore[misc,unused-ignore]
        @default("kernel_spec_manager")
        def _this_interpreter(self) -> KernelSpecManager:
            return ThisInterpreter()

        async def start_kernel(self, **given: Any) -> None:  # type: ignore[override,unused-ignore]
            await super().start_kernel(**{**given, "env": {**os.environ, **environment}})
            if kernels is not None and (process := getattr(self.provisioner, "process", None)):
                kernels.add(process)

    return RunKernel
