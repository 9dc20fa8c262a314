"""Where predictors can be fetched from. Nothing is fetched unless it is asked for by name.

A source is a class with `needs` (what must be had first, in words), `addresses` (plain URLs of files) and `hint`; it is
named in `SOURCES`, or by an entry point of the group `aqqua.environments`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Literal, Protocol

from aqqua.errors import RefusedError, UnknownNameError
from aqqua.sources.transfer import FetchReport
from aqqua.sources.transfer import fetch as fetch_files

__all__ = ["SOURCES", "Copernicus", "Modis", "Source", "Wanted", "WorldOceanAtlas", "fetch", "known_sources"]

SOURCES = {
    "woa": "aqqua.maps.environment.sources:WorldOceanAtlas",
    "copernicus": "aqqua.maps.environment.sources:Copernicus",
    "modis": "aqqua.maps.environment.sources:Modis",
}
"""Name → class; entry points `aqqua.environments` come on top."""


@dataclass(frozen=True)
class Wanted:
    """What is to be fetched.

    Args:
        quantities: their names, as in `aqqua map env build`.
        res: 1.0 or 0.25 degrees.
        time: "annual" or "month".
    """

    quantities: Sequence[str]
    res: float = 1.0
    time: Literal["annual", "month"] = "annual"


class Source(Protocol):
    """Something predictors come from."""

    title: str
    needs: str
    quantities: Sequence[str]

    def addresses(self, wanted: Wanted, mirror: str | None) -> list[str]:
        """URLs of the files, or a RefusedError that says how to get them."""


class WorldOceanAtlas:
    """World Ocean Atlas 2023 of NOAA NCEI: climatologies by depth, free, without an account.

    Source: https://www.ncei.noaa.gov/products/world-ocean-atlas (names of files: product documentation, section 5).
    """

    title = "World Ocean Atlas 2023 (NOAA NCEI)"
    needs = "nothing"
    base = "https://www.ncei.noaa.gov/data/oceans/woa/WOA23/DATA"
    letters: Mapping[str, tuple[str, str]] = {
        "temperature": ("t", "decav91C0"),
        "salinity": ("s", "decav91C0"),
        "oxygen": ("o", "all"),
        "aou": ("A", "all"),
        "nitrate": ("n", "all"),
        "phosphate": ("p", "all"),
        "silicate": ("i", "all"),
    }
    quantities = tuple(letters)
    _grids: Mapping[float, tuple[str, str]] = {1.0: ("1.00", "01"), 0.25: ("0.25", "04")}

    def addresses(self, wanted: Wanted, mirror: str | None) -> list[str]:
        """One file per quantity, or one per month."""
        if wanted.res not in self._grids:
            raise UnknownNameError("grid of the World Ocean Atlas", f"{wanted.res:g}", ["1", "0.25"])
        folder, number = self._grids[wanted.res]
        steps = range(1) if wanted.time == "annual" else range(1, 13)
        found = []
        for name in wanted.quantities:
            if name not in self.letters:
                raise UnknownNameError("quantity of the World Ocean Atlas", name, self.letters)
            letter, years = self.letters[name]
            place = f"{(mirror or self.base).rstrip('/')}/{name_on_server(name)}/netcdf/{years}/{folder}"
            found += [f"{place}/woa23_{years}_{letter}{step:02d}_{number}.nc" for step in steps]
        return found


def name_on_server(name: str) -> str:
    """Folder of a quantity on NCEI's server."""
    return {"aou": "AOU"}.get(name, name)


class Copernicus:
    """Copernicus Marine: reanalyses and satellites; needs an account and its own client."""

    title = "Copernicus Marine Service"
    needs = "an account, and the program copernicusmarine"
    quantities = ("temperature", "salinity", "nitrate", "phosphate", "silicate", "oxygen", "chlorophyll")

    def addresses(self, wanted: Wanted, mirror: str | None) -> list[str]:
        """Never any: the service gives files to its own client only."""
        do = (
            "make an account at https://data.marine.copernicus.eu, then: pip install copernicusmarine; "
            "copernicusmarine login; copernicusmarine subset --dataset-id … ; "
            "and give the file to aqqua map env build NAME=FILE"
        )
        raise RefusedError("Copernicus Marine needs an account and its own client", where=self.title, do=do)


class Modis:
    """MODIS-Aqua chlorophyll of NASA: needs an Earthdata login, unless from a mirror."""

    title = "MODIS-Aqua level 3 chlorophyll (NASA OB.DAAC)"
    needs = "an Earthdata login, or a mirror (--mirror)"
    quantities = ("chlorophyll",)
    file = "AQUA_MODIS.20020701_20220731.L3m.MC.CHL.chlor_a.9km.nc"

    def addresses(self, wanted: Wanted, mirror: str | None) -> list[str]:
        """The file at a mirror."""
        for name in wanted.quantities:
            if name not in self.quantities:
                raise UnknownNameError("quantity of MODIS", name, self.quantities)
        if mirror:
            return [f"{mirror.rstrip('/')}/{self.file}"]
        do = (
            "log in at https://urs.earthdata.nasa.gov, download monthly climatologies (L3m, MC, CHL, chlor_a) from "
            "https://oceandata.sci.gsfc.nasa.gov/l3/, and give them to aqqua map env build chlorophyll=FILE_{month}.nc"
        )
        raise RefusedError("files of MODIS need an Earthdata login", where=self.title, do=do)


def known_sources() -> dict[str, Source]:
    """All sources by name.

    Raises:
        ImportError: a plug-in is broken.
    """
    found: dict[str, Source] = {}
    for name, target in SOURCES.items():
        module, _, attribute = target.partition(":")
        found[name] = getattr(importlib.import_module(module), attribute)()
    for entry in entry_points(group="aqqua.environments"):
        found[entry.name] = entry.load()()
    return found


def fetch(source: str, folder: Path | str, wanted: Wanted, *, mirror: str | None = None) -> FetchReport:
    """Fetch files of a source into a folder; run it again after an interruption.

    Args:
        source: its name: woa, copernicus, modis.
        folder: where to put the files.
        wanted: which.
        mirror: another address in place of the usual one.

    Raises:
        UnknownNameError: there is no such source, or it has no such quantity.
        RefusedError: an account is needed; what to do is said.
        RemoteError: the server cannot be reached.
    """
    known = known_sources()
    if source not in known:
        raise UnknownNameError("source of predictors", source, known)
    return fetch_files(known[source].addresses(wanted, mirror), folder)
