"""One dataset, opened for exploring: its table, its map, and the rows that a filter, a polygon or a list selects."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from aqqua.app.clusters import NAMING, Cluster, name_clusters
from aqqua.app.columns import Table
from aqqua.app.filters import compile_filter
from aqqua.app.polygon import inside
from aqqua.errors import ConfigError, NotFoundError

if TYPE_CHECKING:
    from aqqua.app.prepare import Prepared
    from aqqua.store.dataset import Dataset

__all__ = ["View"]

MAX_UIDS = 100_000


class View:
    """A dataset as the explorer shows it.

    Args:
        dataset: the dataset.
        frame: its rows in storage order (see `columns.read_frame`).
        model: whose predictions make the map; None: it is made from size and brightness.
        models: all models with predictions here.
        prepared: map, clusters, samples, neighbours.
        version: changes whenever what lies behind an address of an image does.
    """

    def __init__(
        self,
        dataset: Dataset,
        frame: pl.DataFrame,
        model: str | None,
        models: Sequence[str],
        prepared: Prepared,
        version: str,
    ) -> None:
        self.dataset, self.model, self.models, self.version = dataset, model, list(models), version
        self.prepared = prepared
        self.clusters: list[Cluster] = name_clusters(
            prepared.cluster, prepared.positions, frame.select(name for name in NAMING if name in frame.columns)
        )
        self.table = Table(frame.with_columns(pl.Series("cluster", self._cluster_names(), pl.String)))
        self._mask = lru_cache(maxsize=16)(self._compute_mask)

    def __len__(self) -> int:
        return len(self.table)

    def _cluster_names(self) -> list[str | None]:
        names = {cluster.id: cluster.label for cluster in self.clusters}
        return [names.get(number) for number in self.prepared.cluster.tolist()]

    @property
    def extent(self) -> list[float]:
        """The square that holds the map: x0, y0, x1, y1."""
        return list(self.prepared.info["extent"])

    def note(self, path: Path | str) -> str | None:
        """What a person should know about this map, and can do about it; `path` is how the dataset is called."""
        missing = self.prepared.info["without_vector"]
        if self.model is None:
            what = "There are no predictions yet: this map shows only size and brightness."
            return f"{what} Make them with: aqqua predict MODEL {path}"
        if missing:
            return f"{missing:,} images have no vector of this model: aqqua predict MODEL {path}"
        return None

    # ---- rows ----------------------------------------------------------------------------------------------------

    def mask(self, tree: Any) -> np.ndarray | None:
        """Which rows fulfil a filter (bool); None: all."""
        return None if tree is None else self._mask(json.dumps(tree))

    def _compute_mask(self, text: str) -> np.ndarray | None:
        expression = compile_filter(json.loads(text), self.table.columns)
        if expression is None:
            return None
        return self.table.frame.with_columns(expression.alias("_hit"))["_hit"].to_numpy()

    def select(self, tree: Any = None, polygon: Any = None, uids: Sequence[str] | None = None) -> np.ndarray:
        """Rows that fulfil a filter, lie in a polygon and are in a list; each where given.

        Raises:
            ConfigError: the polygon or a uid has a wrong form.
            NotFoundError: a uid is not here.
        """
        hits = np.ones(len(self), bool)
        if uids is not None:
            hits[:] = False
            hits[self.rows_of(uids)] = True
        mask = self.mask(tree)
        if mask is not None:
            hits &= mask
        rows = np.flatnonzero(hits)
        return rows if polygon is None else rows[inside(self.prepared.positions[rows], polygon)]

    def rows_of(self, uids: Sequence[str]) -> np.ndarray:
        """The rows of images, in the order asked for."""
        if len(uids) > MAX_UIDS:
            raise ConfigError(f"more than {MAX_UIDS:,} uids", do="select with a filter or a polygon instead")
        wanted = np.array([_number(uid) for uid in uids], np.uint64)
        if not len(self):
            at = np.zeros(0, np.int64)
            known = np.zeros(len(wanted), bool)
        else:
            place = np.minimum(np.searchsorted(self._uids_sorted[0], wanted), len(self) - 1)
            at, known = self._uids_sorted[1][place], self._uids_sorted[0][place] == wanted
        if not known.all():
            raise NotFoundError(f"there is no image {wanted[~known][0]} here", do="see …/ids for those there are")
        return at

    @cached_property
    def _uids_sorted(self) -> tuple[np.ndarray, np.ndarray]:
        order = np.argsort(self.table.uid, kind="stable")
        return self.table.uid[order], order

    # ---- predictions of one image --------------------------------------------------------------------------------

    def predictions_of(self, uid: int) -> dict[str, dict[str, Any]]:
        """What every model says about one image."""
        found = {}
        for model in self.models:
            hits = self._predicted(model).filter(pl.col("uid") == uid)
            if hits.height:
                found[model] = hits.drop("uid").row(0, named=True)
        return found

    @lru_cache(maxsize=4)  # noqa: B019 (a view lives as long as the server)
    def _predicted(self, model: str) -> pl.DataFrame:
        columns = ["uid", "taxon_knn", "p_knn", "taxon_linear", "p_linear", "outlier"]
        return self.dataset.predictions(model, columns=columns)


def _number(uid: str) -> int:
    if not (isinstance(uid, str) and uid.isascii() and uid.isdecimal() and len(uid) <= 20 and int(uid) < 1 << 64):
        raise ConfigError(f"{str(uid)[:40]!r} is not the id of an image", do="give its uid as a decimal string")
    return int(uid)
