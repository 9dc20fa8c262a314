"""A batch of objects as a folder that looks like an export of EcoTaxa: one table, and images beside it.

Whatever was fetched stays, until the batch has been ingested: a pull that was cut off goes on with what is missing.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from aqqua.errors import RemoteError
from aqqua.progress import job
from aqqua.sources.ecotaxa_api.by_export import ExportedImages
from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.crowd import at_once
from aqqua.sources.ecotaxa_api.links import LINK_COLUMNS, STATUS_OF
from aqqua.sources.ecotaxa_api.listing import text_of
from aqqua.sources.ecotaxa_api.models import EcoObject
from aqqua.sources.ecotaxa_api.vault import fetch_image
from aqqua.store.atomic import whole

__all__ = ["Batch", "Parents", "images_of"]

_HIDDEN = 100
"""Images from this rank on are originals that EcoTaxa hides: UVP6, whose visible image has a scale bar burnt in."""
_OBJECT = {
    "object_id": "obj.orig_id",
    "object_lat": "obj.latitude",
    "object_lon": "obj.longitude",
    "object_date": "obj.objdate",
    "object_time": "obj.objtime",
    "object_depth_min": "obj.depth_min",
    "object_depth_max": "obj.depth_max",
    "object_link": "obj.object_link",
    "object_sunpos": "obj.sunpos",
    "complement_info": "obj.complement_info",
    "classif_score": "obj.classif_score",
    "objid": "obj.objid",
}
_ROWS_FILE, _IMAGES_FILE = ".objects.parquet", ".images.jsonl"
_SAFE_NAME = re.compile(r"\d{4,}/\d+\.[A-Za-z0-9]{1,8}")


@dataclass(frozen=True)
class Picked:
    """An image of an object: its name in the vault, its rank, and what it was called when it was imported."""

    file_name: str
    rank: int
    orig_name: str


def images_of(told: EcoObject) -> list[Picked]:
    """The images of an object to learn from: hidden originals where there are any, else all."""
    hidden = [image for image in told.images if image.imgrank >= _HIDDEN]
    chosen = sorted(hidden or told.images, key=lambda image: (image.imgrank, image.imgid))
    return [Picked(image.file_name, image.imgrank, image.orig_file_name) for image in chosen]


@dataclass
class Parents:
    """Samples, acquisitions, processings and lineages of a project, each asked for once."""

    client: EcotaxaClient
    _known: dict[tuple[str, int], dict[str, str | None]] = field(default_factory=dict)

    def fetch(self, rows: pl.DataFrame) -> None:
        """Ask for all that the rows of a listing belong to."""
        wanted = {("sample", int(one)) for one in rows["_sample"].drop_nulls().unique()}
        acquisitions = rows["_acquisition"].drop_nulls().unique()
        wanted |= {(kind, int(one)) for one in acquisitions for kind in ("acquisition", "process")}
        missing = sorted(wanted - set(self._known))
        self._known |= dict(zip(missing, at_once(self._ask, missing), strict=True))
        taxa = {int(one) for one in rows["obj.classif_id"].drop_nulls().unique()}
        self._fetch_taxa(sorted(taxa - {number for kind, number in self._known if kind == "taxon"}))

    def cells(self, row: Mapping[str, str | None]) -> dict[str, str | None]:
        """The columns that a row of a listing gets from them."""
        sample, acquisition, taxon = row["_sample"], row["_acquisition"], row["obj.classif_id"]
        return {
            **(self._known[("sample", int(sample))] if sample else {}),
            **(self._known[("acquisition", int(acquisition))] if acquisition else {}),
            **(self._known[("process", int(acquisition))] if acquisition else {}),
            **(self._known.get(("taxon", int(taxon)), {}) if taxon else {}),
        }

    def _ask(self, one: tuple[str, int]) -> dict[str, str | None]:
        kind, number = one
        if kind == "sample":
            sample = self.client.sample(number)
            place = {"sample_lat": text_of(sample.latitude), "sample_long": text_of(sample.longitude)}
            return {**place, **_free("sample", sample.free_columns), "sample_id": sample.orig_id}
        if kind == "acquisition":
            told = self.client.acquisition(number)
            head = {"acq_id": told.orig_id, "acq_instrument": told.instrument}
            return {**_free("acq", told.free_columns), **head}
        process = self.client.process(number)
        return {**_free("process", process.free_columns), "process_id": process.orig_id}

    def _fetch_taxa(self, ids: list[int]) -> None:
        for start in range(0, len(ids), 100):
            for taxon in self.client.taxa(ids[start : start + 100]):
                lineage = {"object_annotation_hierarchy": ">".join(reversed(taxon.lineage)) or None}
                self._known["taxon", taxon.id] = lineage


def _free(prefix: str, columns: Mapping[str, Any]) -> dict[str, str | None]:
    return {f"{prefix}_{name}": text_of(value) for name, value in columns.items()}


@dataclass(frozen=True)
class Batch:
    """Objects that are fetched and ingested together.

    Args:
        folder: of the batch; exists from `begin` until it has been ingested.
        projid: the project.
        server: address of the API.
    """

    folder: Path
    projid: int
    server: str

    def begin(self, rows: pl.DataFrame) -> None:
        """Write down which objects the batch has, as the listing told them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with whole(self.folder / _ROWS_FILE) as part:
            rows.write_parquet(part)

    @property
    def rows(self) -> pl.DataFrame:
        """The objects; none if the batch was cut off before it began."""
        path = self.folder / _ROWS_FILE
        return pl.read_parquet(path) if path.is_file() else pl.DataFrame()

    def fetch(
        self,
        client: EcotaxaClient,
        parents: Parents,
        *,
        without: Iterable[int] = (),
        exported: ExportedImages | None = None,
    ) -> int:
        """Fetch what is missing, and write the table.

        Args:
            client: where to ask.
            parents: samples, acquisitions and so on.
            without: objects that are not wanted any more.
            exported: where images may be found without asking for each.

        Returns:
            Number of images that the vault does not have.

        Raises:
            RemoteError: the server fails; what came stays for the next time.
        """
        unwanted = {str(one) for one in without}
        rows = self.rows.filter(~pl.col("obj.objid").is_in(list(unwanted)))
        parents.fetch(rows)
        pictures = self._pictures(client, rows)
        self._take(exported, pictures)
        lost = self._fetch_images(client, [one for several in pictures.values() for one in several])
        self._write_table(rows, pictures, parents)
        return lost

    def _pictures(self, client: EcotaxaClient, rows: pl.DataFrame) -> dict[str, list[Picked]]:
        """The images of each object; those with several are asked for one by one."""
        found = self._noted()
        several = pl.col("obj.imgcount").cast(pl.Int64, strict=False) > 1
        asked = [one for one in rows.filter(several)["obj.objid"].to_list() if one not in found]
        with (self.folder / _IMAGES_FILE).open("a", encoding="utf-8") as notes:
            for start in range(0, len(asked), 64):
                part = asked[start : start + 64]
                for objid, told in zip(part, at_once(lambda one: client.object(int(one)), part), strict=True):
                    found[objid] = images_of(told)
                    listed = [[one.file_name, one.rank, one.orig_name] for one in found[objid]]
                    notes.write("\n" + json.dumps({"objid": objid, "images": listed}))
        fields = ("obj.objid", "img.file_name", "img.imgrank", "img.orig_file_name")
        for objid, name, rank, orig in rows.select(fields).iter_rows():
            if objid not in found:
                found[objid] = [Picked(name, int(rank or 0), orig or "")] if name else []
        return found

    def _take(self, exported: ExportedImages | None, pictures: Mapping[str, list[Picked]]) -> None:
        """Take from an export what it has."""
        if exported is None:
            return
        for objid, several in pictures.items():
            for one in several:
                path = self.folder / one.file_name
                if _SAFE_NAME.fullmatch(one.file_name) and not path.is_file():
                    data = exported.read(objid, one.rank)
                    if data is not None:
                        self._keep(path, data)

    @staticmethod
    def _keep(path: Path, data: bytes) -> None:
        path.parent.mkdir(exist_ok=True)
        with whole(path) as part:
            part.write_bytes(data)

    def _noted(self) -> dict[str, list[Picked]]:
        """What an interrupted try was told already; its last line may be cut off."""
        path = self.folder / _IMAGES_FILE
        found: dict[str, list[Picked]] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
            try:
                told = json.loads(line)
                found[told["objid"]] = [Picked(*one) for one in told["images"]]
            except (ValueError, KeyError, TypeError):
                continue
        return found

    def _fetch_images(self, client: EcotaxaClient, pictures: list[Picked]) -> int:
        names = [one.file_name for one in pictures if _SAFE_NAME.fullmatch(one.file_name)]
        missing = [name for name in names if not (self.folder / name).is_file()]
        with job(f"Fetching images of project {self.projid}", len(missing), unit="images") as advance:
            came = at_once(partial(self._fetch_one, client), missing, done=advance)
        return came.count(False) + len(pictures) - len(names)

    def _fetch_one(self, client: EcotaxaClient, name: str) -> bool:
        try:
            data = fetch_image(client, name)
        except RemoteError as error:
            if error.status == 404:
                return False
            raise
        self._keep(self.folder / name, data)
        return True

    def _write_table(self, rows: pl.DataFrame, pictures: Mapping[str, list[Picked]], parents: Parents) -> None:
        lines = []
        for row in rows.iter_rows(named=True):
            cells = {**_object_cells(row), **parents.cells(row), **self._link_cells()}
            for one in pictures[row["obj.objid"]] or [Picked("", 0, "")]:
                image = {"img_file_name": one.file_name, "img_rank": str(one.rank), "img_orig_file_name": one.orig_name}
                lines.append({**cells, **image})
        columns = list(dict.fromkeys(name for line in lines for name in line))
        with (
            whole(self.folder / f"ecotaxa_{self.projid}.tsv") as part,
            part.open("w", encoding="utf-8-sig", newline="") as file,
        ):
            table = csv.writer(file, delimiter="\t", lineterminator="\n")
            table.writerow(columns)
            table.writerow(["[f]" if name in {"object_lat", "object_lon"} else "[t]" for name in columns])
            table.writerows([line.get(name) or "" for name in columns] for line in lines)

    def _link_cells(self) -> dict[str, str | None]:
        return dict(zip(LINK_COLUMNS, (self.server, str(self.projid)), strict=False))


def _object_cells(row: Mapping[str, str | None]) -> dict[str, str | None]:
    """A row of a listing in the names of EcoTaxa's exports; nobody's name is among them."""
    date, _, time = (row["obj.classif_when"] or "").partition("T")
    free = {f"object_{name.removeprefix('fre.')}": value for name, value in row.items() if name.startswith("fre.")}
    annotation = {
        "object_annotation_status": STATUS_OF.get(row["obj.classif_qual"] or "", ""),
        "object_annotation_category": row["txo.display_name"],
        "object_annotation_category_id": row["obj.classif_id"],
        "object_annotation_date": date,
        "object_annotation_time": time.partition(".")[0],
    }
    return {**free, **{name: row[told] for name, told in _OBJECT.items()}, **annotation}
