"""Hand a selection over: as a table (CSV), or as a zip that EcoTaxa imports."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from fastapi import APIRouter
from fastapi.responses import FileResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict
from starlette.background import BackgroundTask

from aqqua.app.routes.context import Limited, Opened
from aqqua.app.view import View
from aqqua.errors import ConfigError

__all__ = ["router"]

CHUNK = 20_000

router = APIRouter()


class Wanted(BaseModel):
    """What to export, and as what."""

    model_config = ConfigDict(extra="forbid")
    to: Literal["csv", "ecotaxa"]
    filter: Any = None
    polygon: list[list[float]] | None = None
    uids: list[str] | None = None


@router.post("/api/v1/{store}/export", response_class=Response)
def export(view: Opened, limits: Limited, store: str, wanted: Wanted) -> Response:
    """The selected images as CSV, or as zip for EcoTaxa."""
    rows = view.select(wanted.filter, wanted.polygon, wanted.uids)
    if not len(rows):
        raise ConfigError("nothing is selected", do="widen the filter or the lasso")
    if limits.export is not None and len(rows) > limits.export:
        raise ConfigError(f"{len(rows):,} images are selected", do=f"select at most {limits.export:,} to export")
    if wanted.to == "csv":
        headers = {"Content-Disposition": f'attachment; filename="{store}.csv"'}
        return StreamingResponse(_csv(view, rows), media_type="text/csv; charset=utf-8", headers=headers)
    return _ecotaxa(view, rows, store)


def _csv(view: View, rows: np.ndarray) -> Iterator[bytes]:
    positions = view.prepared.positions
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        uid = pl.Series("uid", view.table.uid[part])
        place = pl.DataFrame({"map_x": positions[part, 0], "map_y": positions[part, 1]})
        rows_of = view.table.frame[part].select(list(view.table.columns))
        frame = pl.concat([uid.to_frame(), rows_of, place], how="horizontal")
        text = frame.write_csv(include_header=start == 0, datetime_format="%Y-%m-%dT%H:%M:%S%.3fZ")
        yield text.encode()


def _ecotaxa(view: View, rows: np.ndarray, store: str) -> Response:
    from aqqua.export import export as hand_over

    folder = Path(tempfile.mkdtemp(prefix="aqqua-export-"))
    try:
        uids = [int(uid) for uid in view.table.uid[rows]]
        report = hand_over(view.dataset.path, to="ecotaxa", out=folder / "out", uids=uids, model=view.model)
        file = _one_file(report.files, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    task = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(file, media_type="application/zip", filename=f"{store}_ecotaxa.zip", background=task)


def _one_file(files: list[Path], folder: Path) -> Path:
    """The file itself, or several in one zip (EcoTaxa wants them apart)."""
    if len(files) == 1:
        return files[0]
    together = folder / "together.zip"
    with zipfile.ZipFile(together, "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            archive.write(file, file.name)
    return together
