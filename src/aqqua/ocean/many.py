"""Very many images: some hundred organisms are drawn once, and each is shown to the camera again and again.

Drawing an organism in three dimensions takes some hundredths of a second, a photograph of one that is drawn a tenth of
a millisecond: turned in the flow, before another piece of background, with noise of its own. The images differ, the
organisms do not, so this is for measuring software at scale, not for learning from.

    out/ifcb/leg_000/D20240409T074000_IFCB999.{adc,hdr,roi}     raw bins of 2,000 images, ten to a folder
    out/ifcb/bins.csv, card.yaml                                where and when
    out/truth/portraits.parquet, masks.zip                      each organism as it was drawn, with its exact mask
    out/truth/sightings/leg_000.parquet                         bin, line, portrait, turn
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from aqqua.errors import ConfigError
from aqqua.ocean.chance import Array, named_rng
from aqqua.ocean.files import StillZip, make_card, table_text
from aqqua.ocean.filters import edge_distance
from aqqua.ocean.instruments import INSTRUMENTS
from aqqua.ocean.organisms import build
from aqqua.ocean.pictures import portrait
from aqqua.ocean.sightings import mask_measures, png_bytes
from aqqua.ocean.truth import seal
from aqqua.ocean.world import visits
from aqqua.ocean.write import OceanReport
from aqqua.ocean.write_ifcb import adc_line, header_lines
from aqqua.progress import track
from aqqua.scale import map_shards

__all__ = ["TURNS", "write_many"]

TURNS: tuple[tuple[slice, slice], ...] = tuple(
    (slice(None, None, up), slice(None, None, left)) for up in (1, -1) for left in (1, -1)
)
"""How a portrait lies in the flow: as drawn, head back, upside down, both. Index = `turn` of the sightings."""

_TAXA = ("Dinophyceae", "Ciliophora", "chain<Bacillariophyceae", "Tintinnida", "Trichodesmium")
_SHORTEST_UM, _LONGEST_UM, _SKEW = 8.0, 30.0, 1.7
_BIN, _BINS = 2000, 10
_LEG = _BIN * _BINS
_ML_PER_BIN = 5.0
_BLIND_S = 0.0813


@dataclass(frozen=True)
class _Leg:
    """Ten bins, the work of one process at a time."""

    number: int
    images: int
    seed: int
    bank: Path


def write_many(
    out: Path | str,
    *,
    seed: int = 0,
    images: int = 100_000,
    reuse: int = 600,
    where: Any = "here",
    workers: int | None = None,
) -> OceanReport:
    """Write raw IFCB bins with very many images of few organisms, with the truth about each.

    Args:
        out: folder to write into; it must not be there.
        seed: same seed, same bytes, whoever does the work.
        images: how many, exactly.
        reuse: number of organisms that are drawn.
        where: engine, see `aqqua.scale.map_shards`.
        workers: how many processes.

    Raises:
        ConfigError: no image or organism is asked for, or the folder is there already.
    """
    out = Path(out)
    if images < 1 or reuse < 1:
        raise ConfigError(f"an ocean of {images} images of {reuse} organisms is empty", do="ask for at least one")
    if out.exists():
        raise ConfigError("there is something already", where=out, do="choose a new folder")
    truth = out / "truth"
    (truth / "sightings").mkdir(parents=True)
    bank = truth / "portraits.npz"
    _draw(bank, truth, reuse, seed)
    legs = [_Leg(n, min(_LEG, images - n * _LEG), seed, bank) for n in range(-(-images // _LEG))]
    outs = [out / "ifcb" / f"leg_{leg.number:04}" for leg in legs]
    map_shards(write_leg, legs, outs, where=where, workers=workers, what="Photographing")
    for leg in outs:
        shutil.move(leg / "sightings.parquet", truth / "sightings" / f"{leg.name}.parquet")
    _tables(out / "ifcb", legs)
    bank.unlink()
    seal(out, [out / "ifcb"], seed=seed, images=images, reuse=reuse)
    return OceanReport([out / "ifcb"], truth, images, reuse, 0)


def _draw(bank: Path, truth: Path, count: int, seed: int) -> None:
    """Draw the organisms: their light before the camera into `bank`, what is true about them into the truth."""
    rows: list[dict[str, Any]] = []
    lights: dict[str, Array] = {}
    masks = StillZip(truth / "masks.zip")
    device = INSTRUMENTS["ifcb"]
    for number in track(range(count), "Drawing plankton", unit="organisms"):
        rng = named_rng(seed, "portrait", number)
        taxon = str(rng.choice(_TAXA))
        length = _SHORTEST_UM * (_LONGEST_UM / _SHORTEST_UM) ** float(rng.random() ** _SKEW)
        body = build(taxon, length, seed, f"portrait-{number}")
        drawn = portrait(body, device, rng)
        lights[f"{number}"] = drawn.light[0].astype(np.float32)
        masks.add(f"{number:05}.png", png_bytes(drawn.mask))
        height, width = drawn.mask.shape
        rows.append(
            {"portrait": number, "taxon": taxon, "width": width, "height": height, "defocus": drawn.defocus}
            | asdict(drawn.pose)
            | {name: getattr(body.traits, name) for name in ("length_um", "width_um", "volume_um3", "esd_um")}
            | mask_measures(drawn, device.pixel_um)
        )
    masks.close()
    np.savez(bank, allow_pickle=False, **lights)
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(truth / "portraits.parquet")


@lru_cache(maxsize=1)
def _lights(bank: Path) -> list[Array]:
    with np.load(bank, allow_pickle=False) as stored:
        return [stored[name] for name in sorted(stored.files, key=int)]


def write_leg(leg: _Leg, out: Path) -> None:
    """Write the bins of one leg, and its part of the truth, into a folder."""
    out.mkdir(parents=True)
    lights = _lights(leg.bank)
    tables = []
    for first in range(0, leg.images, _BIN):
        number = leg.number * _BINS + first // _BIN
        rng = named_rng(leg.seed, "many", number)
        count = min(_BIN, leg.images - first)
        chosen, turns = rng.integers(len(lights), size=count), rng.integers(len(TURNS), size=count)
        name, start = _bin_name(leg.seed, number)
        signals = rng.lognormal(-4, 1, (count, 8)).tolist()
        corners = rng.integers(0, 700, count).tolist()
        lines, at, run_s = [], 0, 60 * _ML_PER_BIN / 0.25 + _BLIND_S * count
        with (out / f"{name}.roi").open("wb") as file:
            for roi, (index, turn) in enumerate(zip(chosen.tolist(), turns.tolist(), strict=True), 1):
                pixels = photograph(lights[index][TURNS[turn]], rng)
                file.write(pixels.data)
                box = (612, corners[roi - 1], pixels.shape[1], pixels.shape[0])
                clock = (run_s - 0.5) * roi / count
                lines.append(adc_line(roi, clock, signals[roi - 1], 20.0, box, at, clock, _BLIND_S * roi))
                at += pixels.size
        (out / f"{name}.adc").write_bytes("".join(f"{line}\r\n" for line in lines).encode())
        header = header_lines(rng, start, count, count, run_s, _BLIND_S * count)
        (out / f"{name}.hdr").write_bytes("".join(f"{line}\r\n" for line in header).encode())
        told = {"portrait": chosen.astype(np.uint32), "turn": turns.astype(np.uint8)}
        table = pl.DataFrame({"roi_number": np.arange(1, count + 1, dtype=np.uint32), **told})
        tables.append(table.insert_column(0, pl.Series("bin", [name]).new_from_index(0, count)))
    pl.concat(tables).write_parquet(out / "sightings.parquet")


def photograph(light: Array, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """One exposure: background of the flow cell, shot noise, read noise, eight bits; see `aqqua.ocean.pictures`."""
    device = INSTRUMENTS["ifcb"]
    height, width = light.shape
    slope, level, streaks = 0.012 * rng.standard_normal(2), rng.normal(1, 0.015), rng.standard_normal(height // 6 + 3)
    down = slope[0] * np.linspace(-1, 1, height) + 0.012 * np.interp(
        np.arange(height) / 6, np.arange(len(streaks)), streaks
    )
    field = (1 + down).astype(np.float32)[:, None] + (slope[1] * np.linspace(-1, 1, width)).astype(np.float32)
    field -= _vignette(height, width)
    field *= light
    field *= np.float32(level * device.background * device.full_well)
    np.maximum(field, 0, out=field)
    noise = rng.standard_normal(light.shape, np.float32)
    noise *= np.sqrt(field + np.float32(device.read_noise**2))
    field += noise
    field *= np.float32(255 / device.full_well)
    np.rint(field, out=field)
    pixels: npt.NDArray[np.uint8] = np.clip(field, 0, 255, out=field).astype(np.uint8)
    return pixels


@lru_cache(maxsize=4096)
def _vignette(height: int, width: int) -> Array:
    return 0.03 * edge_distance((height, width))


def _bin_name(seed: int, number: int) -> tuple[str, Any]:
    start = visits(seed, 1)[0].time_utc + timedelta(minutes=25 * number)
    return f"D{start:%Y%m%dT%H%M%S}_IFCB999", start


def _tables(folder: Path, legs: Sequence[_Leg]) -> None:
    """Where each bin was filled, and the card."""
    rows = list(_places(legs))
    (folder / "bins.csv").write_text(table_text(list(rows[0]), rows), encoding="utf-8", newline="")
    told = "Raw bins with very many images of few organisms; positions and depths are in bins.csv."
    make_card("Virtual ocean: many images", told, "IFCB", table=Path("bins.csv")).save(folder / "card.yaml")


def _places(legs: Sequence[_Leg]) -> Iterator[dict[str, Any]]:
    stations = [visit.station for visit in visits(legs[0].seed, 6)]
    for leg in legs:
        for first in range(0, leg.images, _BIN):
            number = leg.number * _BINS + first // _BIN
            station = stations[number % len(stations)]
            drift = 0.001 * (number // len(stations))
            yield {
                "bin": _bin_name(leg.seed, number)[0],
                "station": station.name,
                "latitude": round(station.latitude + drift % 0.5, 5),
                "longitude": round(station.longitude, 5),
                "depth_m": 4.0,
            }
