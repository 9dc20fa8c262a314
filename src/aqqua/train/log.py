"""log.csv: one line every two seconds, for people and for plots; the same for TensorBoard, if asked for."""

from __future__ import annotations

import csv
import time
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from aqqua.errors import MissingExtraError
from aqqua.train.objective import Terms
from aqqua.train.state import Run

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["Log"]

_LOG_SECONDS = 2.0


class Log:
    """A line of log.csv every two seconds and at the end.

    Args:
        path: of the file; lines after `step` (of a run that was broken off later) are removed.
        step: where the run goes on.
        board: folder for TensorBoard, or None.

    Raises:
        MissingExtraError: there is to be a board, and TensorBoard is not installed.
    """

    COLUMNS = ("step", "images", "seconds", "learning_rate", *(term.name for term in fields(Terms)))

    def __init__(self, path: Path, step: int, board: Path | None = None) -> None:
        self._board = None if board is None else _writer(board, step)
        lines = path.read_text().splitlines()[1:] if step and path.is_file() else []
        before = [line for line in lines if line.split(",")[0].isdigit() and int(line.split(",")[0]) <= step]
        self._file = path.open("w", newline="")
        self._file.write("\n".join([",".join(self.COLUMNS), *before]) + "\n")
        self._csv = csv.writer(self._file, lineterminator="\n")
        self._written = self._kept = time.monotonic()
        self._last: list[object] = []

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        if self._last:
            self._csv.writerow(self._last)
        self._file.close()
        if self._board:
            self._board.close()

    def write(self, run: Run, terms: Terms, rate: float) -> None:
        """Note this step; it is written if the last line is old enough."""
        parts = [f"{getattr(terms, name).item():.6g}" for name in self.COLUMNS[4:]]
        self._last = [run.step, run.images, f"{run.seconds:.2f}", f"{rate:.4g}", *parts]
        if time.monotonic() - self._written >= _LOG_SECONDS:
            self._csv.writerow(self._last)
            self._file.flush()
            self._show(run.step)
            self._last, self._written = [], time.monotonic()

    def _show(self, step: int) -> None:
        """The numbers of the last line as points of TensorBoard's curves."""
        if self._board:
            for name, value in zip(self.COLUMNS[1:], self._last[1:], strict=True):
                self._board.add_scalar(name, float(str(value)), step)

    def minutes_since_save(self) -> float:
        """Minutes since the state was saved."""
        return (time.monotonic() - self._kept) / 60

    def saved(self) -> None:
        """Note that the state is saved."""
        self._kept = time.monotonic()


def _writer(folder: Path, step: int) -> SummaryWriter:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtraError("logging to TensorBoard", "tensorboard", "tensorboard") from error
    return SummaryWriter(str(folder), purge_step=step + 1)
