"""Arrays in files, mapped into memory when read: what is prepared for a dataset may be larger than memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np

__all__ = ["load_array", "save_array"]


def save_array(folder: Path, name: str, array: np.ndarray) -> None:
    """Write `<name>.npy`."""
    np.save(folder / f"{name}.npy", array, allow_pickle=False)


def load_array(folder: Path, name: str) -> np.ndarray:
    """Map `<name>.npy` into memory.

    Raises:
        OSError: there is no such file.
        ValueError: it is no array of numbers, or shorter than it says.
    """
    return np.asarray(np.lib.format.open_memmap(folder / f"{name}.npy", mode="r"))
