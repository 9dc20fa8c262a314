"""Masks of objects: label images beside the images, as sparse as they come.

masks/NAME/mask.json         what these masks are, and what made them
masks/NAME/00000012.mdb      LMDB like that of the images; only keys of images that have a mask
masks/NAME/00000012.json     size and checksum of that file; written last: without it the file does not count
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl

from aqqua.errors import ConfigError, FormatError, UnknownNameError
from aqqua.store.atomic import digest_of, storage
from aqqua.store.codec import decode, encode
from aqqua.store.identity import now_text, tool_versions
from aqqua.store.images import ShardReader, write_shard
from aqqua.store.manifest import Shard
from aqqua.store.rows import reading
from aqqua.store.seal import write_sealed_json
from aqqua.store.uid import join_uid, split_uid

__all__ = ["SOURCE_MASKS", "MaskFile", "mask_names", "mask_path", "read_mask", "write_mask_info", "write_masks"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_INFO = "mask.json"
SOURCE_MASKS = "source"
"""Name of the masks that came with the images."""
_AGAIN = "copy the file again from where the dataset came from, or make the masks again"


@dataclass(frozen=True)
class MaskFile:
    """The masks of one shard.

    Args:
        path: the LMDB file.
        count: number of masks.
        nbytes: size of the file.
        xxh3: xxh3_64 of the file.
        shard: identity of the shard they belong to.
    """

    path: Path
    count: int
    nbytes: int
    xxh3: int
    shard: str

    @classmethod
    def of(cls, path: Path) -> Self | None:
        """The masks in this file; None if there are none.

        Raises:
            FormatError: what is noted about it is damaged.
        """
        beside = path.with_suffix(".json")
        try:
            noted = json.loads(beside.read_text(encoding="utf-8"))
            return cls(path, int(noted["masks"]), int(noted["bytes"]), int(noted["xxh3"]), str(noted["shard"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FormatError(f"what is noted about masks is damaged ({error!r})", where=beside, do=_AGAIN) from error

    def write(self) -> None:
        """Note size and checksum beside the file: from now on it counts."""
        noted = {"masks": self.count, "bytes": self.nbytes, "xxh3": self.xxh3, "shard": self.shard}
        write_sealed_json(self.path.with_suffix(".json"), noted)

    def reader(self) -> ShardReader:
        """Reads it; the size is compared first."""
        return ShardReader(self.path, size=self.nbytes)

    def visit(self) -> Iterator[tuple[int, memoryview]]:
        """Key and value of each mask, in the order of the keys; a value is only valid until the next one."""
        return self.reader().visit_sparse()


def mask_path(root: Path, name: str, shard: int) -> Path:
    """Where the masks of a shard belong."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} cannot be the name of masks", do="use letters, digits, dot, dash, underscore")
    return root / "masks" / name / f"{shard:08}.mdb"


def mask_names(root: Path) -> list[str]:
    """Names of the sets of masks, sorted."""
    return sorted(path.parent.name for path in (root / "masks").glob(f"*/{_INFO}") if _NAME.fullmatch(path.parent.name))


def read_mask(root: Path, name: str, shard: Shard, key: int) -> np.ndarray | None:
    """The mask of one image, or None if it has none.

    Raises:
        UnknownNameError: there are no masks of this name.
        FormatError: it is damaged.
    """
    if name not in (names := mask_names(root)):
        raise UnknownNameError("set of masks", name, names, where=root)
    file = MaskFile.of(mask_path(root, name, shard.number))
    if file is None:
        return None
    found = next(iter(file.reader().visit_sparse([key])), None)
    return None if found is None else decode(found[1], where=f"{file.path}, key {key}")


def write_masks(
    root: Path, name: str, shard: Shard, pairs: Iterable[tuple[int, np.ndarray]], info: Mapping[str, Any]
) -> Path:
    """Write the masks of one shard; replaces former ones of the same name.

    Args:
        root: the dataset.
        name: of the set of masks; makes a folder.
        shard: the shard.
        pairs: uid and mask, in the order of the uids.
        info: what the masks are and what made them.

    Raises:
        ConfigError: a mask is of another shard, twice, out of order, or not of the size of its image.
    """
    path = mask_path(root, name, shard.number)
    path.with_suffix(".json").unlink(missing_ok=True)  # what it says is not true any more
    keys: list[int] = []
    count = write_shard(path, _encoded(pairs, shard, keys), keys=keys)
    with storage(path):
        MaskFile(path, count, path.stat().st_size, digest_of(path), shard.identity).write()
    write_mask_info(root, name, info)
    return path


def write_mask_info(root: Path, name: str, info: Mapping[str, Any]) -> None:
    """Write `mask.json`, unless it says the same already."""
    path = mask_path(root, name, 0).with_name(_INFO)
    told = {"created_utc": now_text(), "aqqua_version": tool_versions()["aqqua"], **info, "name": name}
    if path.is_file():
        old = _noted(path)
        if all(old.get(field) == value for field, value in told.items() if field in info or field != "created_utc"):
            return
    write_sealed_json(path, told)


def _noted(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise FormatError(f"{_INFO} is damaged ({error})", where=path, do=_AGAIN) from error


def _encoded(pairs: Iterable[tuple[int, np.ndarray]], shard: Shard, keys: list[int]) -> Iterator[bytes]:
    """Values of masks that fit their images; each one's key is put into `keys` before it is yielded."""
    with reading(shard.converted):
        sides = pl.read_parquet(shard.converted, columns=["height", "width"]).to_numpy()
    for uid, mask in pairs:
        number, key = split_uid(uid)
        where = f"image {uid}"
        if number != shard.number or key >= shard.n_images:
            raise ConfigError(f"a mask of an image that is not in shard {shard.number}", where=where)
        if keys and key <= keys[-1]:
            raise ConfigError("masks out of order", where=where, do="give each image once, sorted by uid")
        if mask.dtype.name not in {"uint8", "uint16"} or mask.shape != tuple(sides[key]):
            what = f"a mask of shape {mask.shape} and type {mask.dtype} for an image of {tuple(sides[key].tolist())}"
            raise ConfigError(what, where=where, do="give (height, width) of the image, uint8 or uint16")
        keys.append(key)
        yield encode(mask)


def uids_with_masks(root: Path, name: str, shard: Shard) -> list[int]:
    """The images of a shard that have a mask."""
    file = MaskFile.of(mask_path(root, name, shard.number))
    return [] if file is None else [join_uid(shard.number, key) for key, _ in file.visit()]
