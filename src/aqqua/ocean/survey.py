"""The survey: which water each instrument looks at, who is in it, who is detected.

Instruments share water. A frame is towed with a net, whose catch is scanned, and two cameras before its mouth; in the
laboratory one flow line runs through three microscopes. So there are parcels of water that one, two or three
instruments look at, and the organisms in the shared ones are seen by several – or missed.

In each parcel the number of organisms of a population is Poisson with mean concentration × volume.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import combinations

import numpy as np

from aqqua.ocean.chance import named_rng
from aqqua.ocean.instruments import INSTRUMENTS
from aqqua.ocean.organisms import build
from aqqua.ocean.shapes import Body
from aqqua.ocean.world import POPULATIONS, Population, Visit

__all__ = ["RIGS", "Deployment", "Organism", "Rig", "catch_share", "deployments", "number_in", "organisms_in"]

_SHARED = 0.24
_SHARE_OF_IMAGES = {
    "zooscan": 0.20,
    "isiis": 0.21,
    "spc": 0.19,
    "planktoscope": 0.15,
    "ifcb": 0.17,
    "fluorescence": 0.08,
}
_LEAST = 1e-3


@dataclass(frozen=True)
class Rig:
    """Instruments that share water.

    Args:
        name: of the rig.
        instruments: keys of the instruments.
        top_m, bottom_m: depths, the lower one at most that of the visit.
        minutes: how long it takes.
    """

    name: str
    instruments: tuple[str, ...]
    top_m: float
    bottom_m: float
    minutes: float

    def range_m(self, visit: Visit) -> tuple[float, float]:
        """Depths sampled at a visit."""
        return self.top_m, min(self.bottom_m, visit.deepest_m)

    def parcels(self) -> list[tuple[str, ...]]:
        """All sets of instruments that look at some water together."""
        return [parcel for size in (1, 2, 3) for parcel in combinations(self.instruments, size)]


RIGS = (
    Rig("frame", ("zooscan", "isiis", "spc"), 5.0, 200.0, 32.0),
    Rig("laboratory", ("ifcb", "planktoscope", "fluorescence"), 4.0, 4.0, 55.0),
)

# What is lost between water and image for other reasons than size: nets destroy what is soft and let bubbles go,
# an IFCB is triggered by chlorophyll.
_CATCH = {
    "zooscan": {"Hydrozoa": 0.6, "Radiolaria": 0.4, "detritus": 0.45, "Appendicularia": 0.6, "bubble": 0.15,
                "Trichodesmium": 0.6, "nauplii<Copepoda": 0.3, "chain<Bacillariophyceae": 0.05},
    "ifcb": {"detritus": 0.45, "fecal pellets": 0.6, "Ciliophora": 0.85, "Tintinnida": 0.8, "bubble": 0.1,
             "nauplii<Copepoda": 0.7, "Radiolaria": 0.7, "fiber<detritus": 0.05},
}  # fmt: skip


def catch_share(instrument: str, taxon: str) -> float:
    """Share of a taxon that an instrument could see if size did not matter."""
    return _CATCH.get(instrument, {}).get(taxon, 1.0)


@dataclass(frozen=True)
class Deployment:
    """One rig at one visit, and how much water each parcel is.

    Args:
        visit: where and when.
        rig: what.
        start_utc: when it began.
        volumes_l: litres per parcel.
    """

    visit: Visit
    rig: Rig
    start_utc: datetime
    volumes_l: dict[tuple[str, ...], float]

    def volume_l(self, instrument: str) -> float:
        """All the water an instrument looked at, in litres."""
        return sum(volume for parcel, volume in self.volumes_l.items() if instrument in parcel)


@dataclass(frozen=True)
class Organism:
    """One organism or particle in the water that was looked at.

    Args:
        organism_id: unique in the ocean.
        population: what it belongs to.
        body: drawn in three dimensions.
        visit: where.
        parcel: instruments whose water it was in.
        depth_m, latitude, longitude, time_utc: where and when exactly.
        detection: probability of being detected, per instrument of the parcel.
        detected: whether it was, per instrument of the parcel.
    """

    organism_id: str
    population: Population
    body: Body
    visit: Visit
    parcel: tuple[str, ...]
    depth_m: float
    latitude: float
    longitude: float
    time_utc: datetime
    detection: dict[str, float]
    detected: dict[str, bool]


@cache
def _mean_detection(instrument: str, population: Population) -> float:
    length = population.length_um((np.arange(64) + 0.5) / 64)
    share = catch_share(instrument, population.taxon)
    return float(INSTRUMENTS[instrument].detection(length).mean()) * share


def deployments(visit: Visit, images: float) -> list[Deployment]:
    """All rigs at a visit; volumes are such that about `images` images result."""
    found = []
    for position, rig in enumerate(RIGS):
        start = visit.time_utc + timedelta(minutes=75 * position + 10)
        target = {key: images * _SHARE_OF_IMAGES[key] for key in rig.instruments}
        # three digits, as instruments report their volumes
        whole = {key: float(f"{target[key] / _seen_per_l(visit, rig, key):.3g}") for key in rig.instruments}
        found.append(Deployment(visit, rig, start, _parcel_volumes(rig, whole)))
    return found


def _seen_per_l(visit: Visit, rig: Rig, key: str) -> float:
    top, bottom = rig.range_m(visit)
    return sum(visit.mean_per_l(p, top, bottom) * _mean_detection(key, p) for p in _visible(rig))


def _visible(rig: Rig) -> list[Population]:
    """Populations at least one instrument of the rig can see; the others are not simulated one by one."""
    small = rig.name == "laboratory"
    return [
        population
        for index, population in enumerate(POPULATIONS)
        if (index >= _FIRST_SMALL) == small
        and any(_mean_detection(key, population) >= _LEAST for key in rig.instruments)
    ]


_FIRST_SMALL = next(index for index, population in enumerate(POPULATIONS) if population.name == "chains")


def _parcel_volumes(rig: Rig, whole: dict[str, float]) -> dict[tuple[str, ...], float]:
    """Shared parcels are a share of the smallest volume that takes part; the rest each has alone."""
    volumes = {
        parcel: _SHARED * min(whole[key] for key in parcel) * (1.0 if len(parcel) == 3 else 0.8)
        for parcel in rig.parcels()
        if len(parcel) > 1
    }
    for key in rig.instruments:
        volumes[(key,)] = whole[key] - sum(volume for parcel, volume in volumes.items() if key in parcel)
    return {parcel: volumes[parcel] for parcel in rig.parcels()}


def organisms_in(deployment: Deployment) -> Iterator[Organism]:
    """Everybody in the water of a deployment, parcel by parcel; bodies are built as they come."""
    for parcel in deployment.volumes_l:
        for population in _visible(deployment.rig):
            if any(_mean_detection(key, population) >= _LEAST for key in parcel):
                for index in range(number_in(deployment, parcel, population)):
                    yield _organism(deployment, parcel, population, index)


def number_in(deployment: Deployment, parcel: tuple[str, ...], population: Population) -> int:
    """How many of a population are in a parcel of water: Poisson with mean concentration × volume."""
    visit = deployment.visit
    mean = visit.mean_per_l(population, *deployment.rig.range_m(visit)) * deployment.volumes_l[parcel]
    return int(named_rng(visit.seed, "count", visit.sample, *parcel, population.name).poisson(mean))


def _organism(deployment: Deployment, parcel: tuple[str, ...], population: Population, index: int) -> Organism:
    visit, rig = deployment.visit, deployment.rig
    name = f"{visit.sample:03d}-{'+'.join(parcel)}-{population.name.replace(' ', '_')}-{index:05d}"
    rng = named_rng(visit.seed, "organism", name)
    length, share, along = float(population.length_um(rng.random())), rng.random(), rng.random()
    depth = visit.depth_of(population, *rig.range_m(visit), share)
    body = build(population.taxon, length, visit.seed, name)
    drift = 0.012 if rig.name == "frame" else 0.0
    detection = {
        key: float(INSTRUMENTS[key].detection(body.traits.length_um)) * catch_share(key, population.taxon)
        for key in parcel
    }
    return Organism(
        organism_id=name,
        population=population,
        body=body,
        visit=visit,
        parcel=parcel,
        depth_m=round(depth, 2),
        latitude=round(visit.station.latitude + drift * (along - 0.5), 5),
        longitude=round(visit.station.longitude + 1.4 * drift * (along - 0.5), 5),
        time_utc=deployment.start_utc + timedelta(seconds=round(60 * rig.minutes * along, 1)),
        detection=detection,
        detected={key: bool(rng.random() < probability) for key, probability in detection.items()},
    )
