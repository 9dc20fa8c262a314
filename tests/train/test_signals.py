from __future__ import annotations

import os
import signal
import threading

import pytest

from aqqua.train.signals import listening


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_is_noted_and_means_again_what_it_meant(number: signal.Signals) -> None:
    got: list[int] = []
    before = signal.signal(number, lambda found, _: got.append(found))
    try:
        with listening() as asked:
            assert not asked()
            os.kill(os.getpid(), number)
            assert asked()
        assert got == []
        os.kill(os.getpid(), number)
        assert got == [number]
    finally:
        signal.signal(number, before)


def test_another_thread_gets_no_signals() -> None:
    found: list[bool] = []

    def listen() -> None:
        with listening() as asked:
            found.append(asked())

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert found == [False]
