"""What a FlowCam run says as a whole: its name, how much water was imaged, the optics, the classes of its particles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from posixpath import basename, dirname, splitext

import polars as pl

from aqqua.metadata.check import Finding
from aqqua.sources.archive import Tree
from aqqua.sources.flowcam_files import (
    ClassFile,
    ListFile,
    clock_offset,
    first_number,
    imaged_volume_ml,
    parse_classes,
    parse_context,
    parse_run_summary,
    parse_summary,
)
from aqqua.sources.tables import decode_text

__all__ = ["Run"]

_NO_NAMES = {"metadata", "list", "data", "export", "particles"}
"""Names of lists that say nothing; the folder is the name of the run then."""
_SAME = 0.02
"""Two statements about the same number may differ by this part of it; summaries are rounded."""
_MAX_BYTES = 1 << 26
_NO_SERIAL = {"", "na", "n/a", "unknown", "none"}


@dataclass(frozen=True)
class Run:
    """One run.

    Args:
        name: of the run.
        where: its list, for messages.
        context: of the `.ctx` file.
        summary: of the `_run_summary.txt`.
        totals: of the `_summary.csv`.
        classes: of the `.cla` file.
    """

    name: str
    where: str
    context: dict[str, str]
    summary: dict[str, str]
    totals: dict[str, str]
    classes: ClassFile

    @classmethod
    def read(cls, tree: Tree, table: str) -> Run:
        """Read the files beside a list."""
        stem = splitext(basename(table))[0]
        name = stem if stem.lower() not in _NO_NAMES else basename(dirname(table)) or tree.path.stem
        texts = {
            suffix: _beside(tree, table, suffix) for suffix in (".ctx", "_run_summary.txt", "_summary.csv", ".cla")
        }
        return cls(
            name,
            tree.where(table),
            parse_context(texts[".ctx"]),
            parse_run_summary(texts["_run_summary.txt"]),
            parse_summary(texts["_summary.csv"]),
            parse_classes(texts[".cla"]),
        )

    def columns(self, listed: ListFile) -> list[pl.Expr | pl.Series]:
        """Columns for the rows of the list."""
        rows = list(listed.cells("id", "cal_const", "timestamp"))
        own = {
            "pixel_um": [self._pixel(row["cal_const"]) for row in rows],
            "imaged_utc": [self._imaged(row["timestamp"]) for row in rows],
        }
        own |= self._labels([row["id"] for row in rows])
        constants = [pl.lit(value or None, pl.String).alias(name) for name, value in self._constants().items()]
        return [*constants, *(pl.Series(name, values, pl.String) for name, values in own.items())]

    def findings(self, listed: ListFile) -> list[Finding]:
        """What an owner should know about this run."""
        return [
            *self._volume_findings(),
            *self._pixel_findings(listed),
            *self._time_findings(),
            *self._class_findings(),
        ]

    def _constants(self) -> dict[str, str]:
        geometry, volume = imaged_volume_ml(self.context), self._volume_ml
        serial = self.context.get("Software_SerialNo") or self.summary.get("Environment_SerialNo", "")
        told = {
            "sample_id": self.name,
            "acquisition_id": self.name,
            "instrument": "FlowCam",
            "instrument_id": "" if serial.lower() in _NO_SERIAL else serial,
            "latitude": self.context.get("General_LocationLatitude", ""),
            "longitude": self.context.get("General_LocationLongitude", ""),
            "volume_l": repr(volume / 1000) if volume else "",
            "volume_imaged_ml_by_geometry": repr(geometry) if geometry else "",
        }
        told |= {f"ctx_{key}": value for key, value in self.context.items()}
        told |= {f"run_{key}": value for key, value in self.summary.items()}
        return told | {f"sum_{key}": value for key, value in self.totals.items()}

    @property
    def _stated_ml(self) -> float | None:
        """Volume imaged as the run states it, the most precise statement first; 0 means not stated."""
        told = (
            self.totals.get("Sample_Volume_Imaged_ml"),
            self.totals.get("Fluid_Volume_Imaged_ml"),
            self.summary.get("Run_Fluid_Volume_Imaged"),
            self.context.get("Fluid_FluidVolumeImaged_ml"),
        )
        return first_number(told)

    @property
    def _dilution(self) -> float:
        """How many times the sample was diluted before the run."""
        used = self.context.get("Fluid_UseDilutionCalculation") == "1"
        return (first_number([self.context.get("Fluid_SampleDilution")]) or 1.0) if used else 1.0

    @property
    def _volume_ml(self) -> float | None:
        """Volume of the sample that was imaged, undiluted."""
        sample = first_number([self.totals.get("Sample_Volume_Imaged_ml")])
        fluid = self._stated_ml or imaged_volume_ml(self.context)
        return sample or (fluid / self._dilution if fluid else None)

    def _pixel(self, written: str) -> str | None:
        """Length of a pixel in micrometres: of the particle's own line, else of the run."""
        told = (written, self._run_pixel)
        return next((text for text in told if text and first_number([text])), None)

    @property
    def _run_pixel(self) -> str | None:
        return self.context.get("Fluid_CalibrationConstant") or self.summary.get("Environment_Calibration_Factor")

    def _imaged(self, text: str) -> str | None:
        """When a particle was imaged, in UTC where the run says how its clock was set."""
        try:
            when = datetime.fromisoformat(text) if text else None
        except ValueError:
            return None
        offset = self._offset
        return f"{(when - offset).isoformat(timespec='milliseconds')}Z" if when and offset is not None else None

    @cached_property
    def _offset(self) -> timedelta | None:
        return clock_offset(self.context, self.summary)

    def _labels(self, names: list[str]) -> dict[str, list[str | None]]:
        """The class of each particle that is in exactly one, and all of them."""
        if not self.classes.of:
            return {}
        classes = [list(dict.fromkeys(self.classes.of.get(name, []))) for name in names]
        single = [found[0] if len(found) == 1 else None for found in classes]
        status = [name and ("predicted" if name in self.classes.filtered else "validated") for name in single]
        return {"cla_classes": ["; ".join(found) or None for found in classes], "label": single, "label_status": status}

    def _volume_findings(self) -> Iterator[Finding]:
        stated, geometry = self._stated_ml, imaged_volume_ml(self.context)
        if stated is None and geometry is None:
            do = "copy the .ctx and _run_summary.txt files beside the list, or give volume_l in a table"
            told = "the run does not say how much was imaged: no volume, so no concentrations"
            yield Finding("warning", "no_volume", told, self.where, do=do)
        elif stated is None:
            told = "the volume imaged is not stated; it was computed from area, depth and number of frames"
            yield Finding("info", "volume_by_geometry", told, self.where)
        elif geometry is not None and abs(stated - geometry) > _SAME * max(stated, geometry):
            told = f"the run states {stated:.4g} mL imaged; area, depth and frames give {geometry:.4g} mL"
            do = "the stated volume was taken; correct it with  overrides: {volume_l: …}  in card.yaml"
            yield Finding("warning", "volume_differs", told, self.where, do=do)
        if self._dilution != 1:
            told = f"the sample was diluted {self._dilution:g} times: the volume is that of the sample before"
            yield Finding("info", "sample_diluted", told, self.where)

    def _pixel_findings(self, listed: ListFile) -> Iterator[Finding]:
        of_run = first_number([self._run_pixel])
        texts = {row["cal_const"] for row in listed.cells("cal_const")}
        of_rows = {number for text in texts if (number := first_number([text]))}
        if of_run and any(abs(one - of_run) > _SAME * of_run for one in of_rows):
            shown = ", ".join(f"{one:g}" for one in sorted(of_rows)[:3])
            told = f"a pixel is {shown} µm in the list and {of_run:g} µm in the context; that of the list was taken"
            do = "if the calibration of the context is right, write  overrides: {pixel_um: …}  in card.yaml"
            yield Finding("warning", "pixel_size_differs", told, self.where, do=do)

    def _time_findings(self) -> Iterator[Finding]:
        told = "the list says when a particle was imaged, not when its water was sampled: that is not time_utc"
        do = "give time, position and depth of the samples with --table (column sample_id: the name of the run)"
        yield Finding("info", "imaging_time", told, self.where, do=do)

    def _class_findings(self) -> Iterator[Finding]:
        many = sum(len(set(found)) > 1 for found in self.classes.of.values())
        if many:
            told = "particles are in several classes: they have no label, their classes are in cla_classes"
            yield Finding("info", "several_classes", told, self.where, many)


def _beside(tree: Tree, table: str, suffix: str) -> str:
    """The text of the file of the same run, or "": of the list's name, else the only one in its folder."""
    folder, stem = dirname(table), splitext(table)[0]
    near = [name for name in tree.members if dirname(name) == folder]
    found = tree.find(f"{stem}{suffix}")
    if found is None and sum(name.lower().endswith(".lst") for name in near) <= 1:
        fitting = [name for name in near if name.lower().endswith(suffix)]
        found = fitting[0] if len(fitting) == 1 else None
    return decode_text(tree.read(found, _MAX_BYTES)) if found else ""
