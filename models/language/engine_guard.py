"""Executors for vLLM whose engine process dies with the process that started it, also when that one is killed with SIGKILL.

vLLM runs its engine core in a child process that survives a killed parent. An executor class is the point that vLLM offers for our
own code in that child, so the watch starts there.
"""

import multiprocessing
import os
import select
import signal
import threading

import psutil
from vllm.v1.executor.multiproc_executor import MultiprocExecutor
from vllm.v1.executor.uniproc_executor import UniProcExecutor


class GuardedUniProcExecutor(UniProcExecutor):  # type: ignore[misc]  # vllm is untyped
    """One worker inside the engine process: no third process to start, and none to leave behind."""

    def _init_executor(self) -> None:
        die_with_parent()
        super()._init_executor()


class GuardedMultiprocExecutor(MultiprocExecutor):  # type: ignore[misc]  # vllm is untyped
    """Workers in processes of their own (tensor parallelism); they end when the engine process does."""

    def _init_executor(self) -> None:
        die_with_parent()
        super()._init_executor()


def die_with_parent() -> None:
    """Kill this process and its children as soon as its parent is gone; does nothing in a process that nobody spawned.

    A thread that waits for the parent, not PR_SET_PDEATHSIG: that signal comes as soon as the *thread* that started the child ends.
    """
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None:
        return
    if os.getppid() != parent.pid:
        _end()
    handle = os.pidfd_open(parent.pid)
    threading.Thread(target=_wait_and_end, args=(handle,), name="die-with-parent", daemon=True).start()


def _wait_and_end(parent_handle: int) -> None:
    poller = select.poll()
    poller.register(parent_handle, select.POLLIN)
    poller.poll()
    _end()


def _end() -> None:
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os.kill(os.getpid(), signal.SIGKILL)
