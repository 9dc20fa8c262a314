"""Gridded files: NetCDF 4, classic NetCDF and Zarr in, NetCDF 4 and Zarr v3 out, whole or not at all.

Zarr is told from NetCDF by its name (`….zarr`, a folder), the two kinds of NetCDF by their first bytes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqqua.errors import AqquaError, ConfigError, FormatError, MissingExtraError, NotFoundError
from aqqua.store.atomic import storage, sync_folder, whole

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["open_gridded", "read_gridded", "write_gridded", "xarray"]

MOST_BYTES = 16 << 30
"""Files that claim more than this are not read into memory."""

_MAGIC = {b"\x89HDF": "h5netcdf", b"CDF\x01": "scipy", b"CDF\x02": "scipy"}


def xarray(task: str = "reading maps") -> Any:
    """The module xarray, or one clear line.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import xarray as module
    except ImportError as error:
        raise MissingExtraError(task, str(error.name), "maps") from error
    return module


@contextmanager
def open_gridded(path: Path | str) -> Iterator[xr.Dataset]:
    """Open a file without reading its values; times stay the numbers they are.

    Args:
        path: NetCDF (4 or classic) or a Zarr folder.

    Raises:
        NotFoundError: there is nothing.
        FormatError: it is neither NetCDF nor Zarr, or damaged.
        MissingExtraError: what reads it is not installed.
    """
    path = Path(path)
    engine = _engine(path)
    options: dict[str, Any] = {"engine": engine, "decode_times": False, "decode_timedelta": False}
    if engine == "zarr":
        options["consolidated"] = False
    try:
        with xarray().open_dataset(path, **options) as opened:
            yield opened
    except AqquaError:
        raise
    except ImportError as error:
        raise MissingExtraError("reading this file", str(error.name), "maps") from error
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise FormatError(f"the file cannot be read ({error})", where=path, do="copy it again") from error


def read_gridded(path: Path | str) -> xr.Dataset:
    """Read a whole file into memory.

    Raises:
        NotFoundError, FormatError, MissingExtraError: see `open_gridded`.
    """
    with open_gridded(path) as opened:
        if opened.nbytes > MOST_BYTES:
            what = f"the file holds {opened.nbytes / 1e9:,.0f} GB, more than is read at once"
            raise FormatError(what, where=path, do="cut out the part you need")
        return opened.load()


def write_gridded(dataset: xr.Dataset, path: Path | str, *, encoding: dict[str, dict[str, Any]] | None = None) -> Path:
    """Write NetCDF 4 (`….nc`) or Zarr v3 (`….zarr`); it gets its name when it is whole.

    Args:
        dataset: what to write.
        path: where; what was there under this name is replaced.
        encoding: of NetCDF variables; without it, floats are deflated after a byte shuffle.

    Raises:
        ConfigError: the name ends in neither.
        StorageError: the disk is full or refuses.
    """
    path = Path(path)
    if path.suffix == ".nc":
        packed = encoding if encoding is not None else _packed(dataset)
        with whole(path) as part:
            dataset.to_netcdf(part, engine="h5netcdf", encoding=packed)
    elif path.suffix == ".zarr":
        _write_zarr(dataset, path)
    else:
        raise ConfigError("maps are written as NetCDF or Zarr", where=path, do="let the name end in .nc or .zarr")
    return path


def _packed(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    kinds = {str(name): variable.dtype.kind for name, variable in dataset.data_vars.items()}
    return {name: {"zlib": True, "complevel": 4, "shuffle": True} for name, kind in kinds.items() if kind in "fiu"}


def _write_zarr(dataset: xr.Dataset, path: Path) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(3)}.part")
    with storage(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            dataset.to_zarr(part, mode="w", zarr_format=3, consolidated=False)
            if path.exists():
                _only_zarr(path)
                shutil.rmtree(path)
            part.rename(path)
            sync_folder(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                shutil.rmtree(part, ignore_errors=True)
            raise


def _only_zarr(path: Path) -> None:
    """A folder is replaced only if it is a Zarr store."""
    if not (path / "zarr.json").is_file():
        raise ConfigError("there is something else under this name", where=path, do="choose another name")


def _engine(path: Path) -> str:
    if path.is_dir():
        if (path / "zarr.json").is_file() or (path / ".zgroup").is_file():
            return "zarr"
        raise FormatError("this folder is no Zarr store", where=path, do="give a NetCDF file or a Zarr folder")
    if not path.is_file():
        raise NotFoundError("there is no such file", where=path, do="give a NetCDF file or a Zarr folder")
    with path.open("rb") as file:
        engine = _MAGIC.get(file.read(4))
    if engine is None:
        raise FormatError("this is neither NetCDF nor Zarr", where=path, do="convert it to NetCDF 4")
    return engine
