"""Spectra, traps and files of measured fluxes with a known truth, written anew."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

EDGES_UM = 2.0 ** (np.arange(18, 40) / 3)
"""(22,) EcoPart's edges from 64 to 8,192 µm."""
STATIONS = (
    ("hot", 22.7, -157.9, 1.0, 3.4),
    ("bats", 31.5, -64.2, 2.0, 4.2),
    ("pap", 49.0, -16.4, 6.0, 3.0),
    ("fiji", -17.0, 179.9, 1.5, 3.8),
)
"""Name, place, how many particles there are, and how steeply they become fewer with size."""
TRUTH = {"a": 40.0, "b": 2.6, "attenuation": 0.7, "moored": 0.4}
DAY = datetime(2015, 6, 15, 12, tzinfo=UTC)


def densities(level: float, depth_m: float, slope: float) -> np.ndarray:
    """Particles per litre of each class: a power law, thinner and flatter with depth."""
    low, high = EDGES_UM[:-1] / 1000, EDGES_UM[1:] / 1000
    power = slope - 0.2 * np.log10(depth_m / 100)
    return np.asarray(level * 0.2 * (depth_m / 100) ** -0.8 * (low ** (1 - power) - high ** (1 - power)))


def spectra(depths_m: Sequence[float] = (100.0, 200.0, 500.0), casts: int = 3, seed: int = 1) -> pl.DataFrame:
    """A spectra table of a few stations, with counts drawn from a Poisson distribution."""
    chance, rows = np.random.default_rng(seed), []
    for name, latitude, longitude, level, slope in STATIONS:
        for cast in range(casts):
            for depth in depths_m:
                volume = 500.0
                counts = chance.poisson(densities(level, depth, slope) * volume)
                for place, count in enumerate(counts):
                    rows.append(
                        {
                            "sample_id": f"{name}_{cast}",
                            "time_utc": DAY + timedelta(days=cast),
                            "latitude": latitude + 0.1 * cast,
                            "longitude": (longitude + 0.1 * cast + 180) % 360 - 180,
                            "depth_min_m": depth - 2.5,
                            "depth_max_m": depth + 2.5,
                            "esd_min_um": EDGES_UM[place],
                            "esd_max_um": EDGES_UM[place + 1],
                            "n": int(count),
                            "volume_l": volume,
                            "number_per_l": count / volume,
                        }
                    )
    table = pl.DataFrame(rows)
    middle = (pl.col("esd_min_um") * pl.col("esd_max_um")).sqrt() / 1000
    return table.with_columns(biovolume_mm3_per_l=pl.col("number_per_l") * np.pi / 6 * middle**3)


def true_flux(level: float, depth_m: float, slope: float) -> float:
    """Flux that the truth gives a station; particles of 0.1–5.2 mm carry it."""
    middle = np.sqrt(EDGES_UM[:-1] * EDGES_UM[1:]) / 1000
    carrying = (middle > 0.102) & (middle < 5.2)
    total = float((densities(level, depth_m, slope) * carrying) @ middle ** TRUTH["b"])
    return float(TRUTH["a"] * total * (depth_m / 100) ** -TRUTH["attenuation"])


def traps(
    depths_m: Sequence[float] = (100.0, 200.0, 500.0), each: int = 4, noise: float = 0.05, seed: int = 2
) -> pl.DataFrame:
    """Measured fluxes of the truth: drifting traps at all stations, moored ones as well at 500 m."""
    chance, rows = np.random.default_rng(seed), []
    for _, latitude, longitude, level, slope in STATIONS:
        for depth in depths_m:
            for kind in ("drifting", "moored") if depth >= 500 else ("drifting",):
                for number in range(each):
                    share = TRUTH["moored"] if kind == "moored" else 1.0
                    rows.append(
                        {
                            "latitude": latitude - 0.2,
                            "longitude": (longitude + 0.3 + 180) % 360 - 180,
                            "depth_m": depth,
                            "time_utc": DAY.replace(year=1990) + timedelta(days=5 * number),
                            "duration_d": 3.0 if kind == "drifting" else 20.0,
                            "kind": kind,
                            "poc_flux_mg_m2_d": share
                            * true_flux(level, depth, slope)
                            * np.exp(chance.normal(0, noise)),
                            "source": "made",
                        }
                    )
    return pl.DataFrame(rows).with_columns(pl.col("time_utc").cast(pl.Datetime("ms", "UTC")))


def write_pangaea(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """PANGAEA's text with a description, as GO_flux.tab has it; gzipped if the name says so."""
    columns = {
        "Type (Data type)": "method",
        "Latitude": "latitude",
        "Longitude": "longitude",
        "Type (Sediment trap type)": "trap",
        "Depth water [m] (Sediment trap deployment depth)": "depth",
        "Date/Time (Deployed)": "start",
        "Date/time end (Retrieved)": "end",
        "Duration [days]": "days",
        "POC flux [mg/m**2/day]": "flux",
    }
    lines = ["/* DATA DESCRIPTION:", 'Citation:\tSomebody (2016): "Fluxes"', "*/", "\t".join(columns)]
    lines += ["\t".join(str(row.get(key, "")) for key in columns.values()) for row in rows]
    content = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def write_rdata(path: Path, frames: dict[str, pl.DataFrame], *, packed: bool = True, version: int = 3) -> Path:
    """Data frames as R's save() writes them: numbers, whole numbers, texts, factors (categorical), times."""
    out = _Writer()
    head = f"RDX{version}\nX\n".encode() + struct.pack(">iii", version, 0x40400, 0x30500)
    if version == 3:
        head += struct.pack(">i", 5) + b"UTF-8"
    for name, frame in frames.items():
        out.flags(2, tag=True)
        out.symbol(name)
        out.frame(frame)
    out.flags(254)
    content = head + bytes(out.data)
    path.write_bytes(gzip.compress(content) if packed else content)
    return path


class _Writer:
    """R's serialization, as much as a data frame needs."""

    def __init__(self) -> None:
        self.data, self.symbols = bytearray(), []  # type: bytearray, list[str]

    def flags(self, kind: int, *, tag: bool = False, attributes: bool = False) -> None:
        self.data += struct.pack(">i", kind | (0x400 if tag else 0) | (0x200 if attributes else 0))

    def symbol(self, name: str) -> None:
        if name in self.symbols:
            self.data += struct.pack(">i", 255 | ((self.symbols.index(name) + 1) << 8))
            return
        self.symbols.append(name)
        self.flags(1)
        self.text(name)

    def text(self, value: str | None) -> None:
        self.flags(9)
        raw = b"" if value is None else value.encode()
        self.data += struct.pack(">i", -1 if value is None else len(raw)) + raw

    def texts(self, values: Sequence[str | None], *, attributes: bool = False) -> None:
        self.flags(16, attributes=attributes)
        self.data += struct.pack(">i", len(values))
        for value in values:
            self.text(value)

    def pairs(self, pairs: dict[str, Sequence[str]]) -> None:
        for name, values in pairs.items():
            self.flags(2, tag=True)
            self.symbol(name)
            self.texts(values)
        self.flags(254)

    def numbers(self, values: Sequence[float], *, attributes: bool = False) -> None:
        self.flags(14, attributes=attributes)
        self.data += struct.pack(">i", len(values)) + np.asarray(values, ">f8").tobytes()

    def wholes(self, values: Sequence[int], *, attributes: bool = False) -> None:
        self.flags(13, attributes=attributes)
        self.data += struct.pack(">i", len(values)) + np.asarray(values, ">i4").tobytes()

    def frame(self, frame: pl.DataFrame) -> None:
        self.flags(19, attributes=True)
        self.data += struct.pack(">i", frame.width)
        for column in frame:
            self.column(column)
        self.pairs({"names": frame.columns, "class": ["tbl_df", "tbl", "data.frame"]})

    def column(self, column: pl.Series) -> None:
        if column.dtype == pl.Categorical:
            texts = column.cast(pl.String)
            levels = texts.drop_nulls().unique(maintain_order=True).to_list()
            self.wholes([-(2**31) if value is None else levels.index(value) + 1 for value in texts], attributes=True)
            self.pairs({"levels": levels, "class": ["factor"]})
        elif column.dtype.is_temporal():
            seconds = [np.nan if value is None else value.timestamp() for value in column]
            self.numbers(seconds, attributes=True)
            self.pairs({"tzone": ["UTC"], "class": ["POSIXct", "POSIXt"]})
        elif column.dtype == pl.String:
            self.texts(column.to_list())
        elif column.dtype.is_integer():
            self.wholes([-(2**31) if value is None else value for value in column])
        else:
            self.numbers([np.nan if value is None else value for value in column])
