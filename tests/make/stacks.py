"""Miniature stacks of images in HDF5, NPZ and NPY files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def stack(count: int = 5, *, shape: tuple[int, ...] = (8, 6), dtype: str = "uint8", seed: int = 0) -> np.ndarray:
    """Noise: count × shape."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, np.iinfo(dtype).max, (count, *shape), dtype, endpoint=True)


def columns(count: int = 5) -> dict[str, np.ndarray]:
    """What a stack says of its images."""
    return {
        "latitude": np.linspace(54, 55, count),
        "depth_m": np.arange(count, dtype=np.float32),
        "label": np.array(["Calanus", "Oithona"] * count)[:count],
    }


def write_hdf5(path: Path, arrays: Mapping[str, Any], attributes: Mapping[str, Any] | None = None) -> Path:
    """Write arrays; a list of arrays becomes rows of varying length; "name@attribute" is an attribute of an array."""
    import h5py

    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, value in arrays.items():
            if isinstance(value, list):
                rows = file.create_dataset(name, (len(value),), h5py.vlen_dtype(value[0].dtype))
                for number, row in enumerate(value):
                    rows[number] = row.ravel()
            elif value.dtype.kind == "U":
                file[name] = value.astype(object)
            else:
                file.create_dataset(name, data=value, compression="gzip" if value.ndim > 2 else None)
        for name, value in (attributes or {}).items():
            item, _, key = name.rpartition("@")
            (file[item] if item else file).attrs[key] = value
    return path


def write(path: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    """Write arrays in the format that the suffix says; .npy takes the first only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npz":
        np.savez_compressed(path, **dict[str, Any](arrays))
    elif path.suffix == ".npy":
        np.save(path, next(iter(arrays.values())))
    else:
        write_hdf5(path, arrays)
    return path
