"""A plausible ocean: stations from the tropics to the Baltic, temperature and chlorophyll, who lives where.

Concentrations follow temperature, chlorophyll and depth with one simple rule per population. They have the order of
magnitude of the literature, not more: what counts is that the truth is known exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np

from aqqua.ocean.chance import Array, named_rng

__all__ = ["POPULATIONS", "STATIONS", "Population", "Station", "Visit", "visits"]

_CRUISE_START = datetime(2024, 4, 9, 7, 40, tzinfo=UTC)
_FINE_M = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class Station:
    """A place in the water.

    Args:
        name: as in the cruise plan.
        latitude, longitude: decimal degrees.
        bottom_m: depth of the sea floor.
        surface_c: temperature at the surface in spring.
        chlorophyll: mg m⁻³ at its maximum.
        maximum_m: depth of the chlorophyll maximum.
        mixed_m: depth of the mixed layer.
    """

    name: str
    latitude: float
    longitude: float
    bottom_m: float
    surface_c: float
    chlorophyll: float
    maximum_m: float
    mixed_m: float


STATIONS = (
    Station("CVOO", 17.58, -24.28, 3600, 24.1, 0.45, 68, 42),
    Station("Cape Blanc", 20.75, -18.05, 1050, 19.2, 6.5, 14, 26),
    Station("ESTOC", 29.16, -15.50, 3618, 20.3, 0.30, 85, 70),
    Station("PAP", 49.00, -16.50, 4840, 13.2, 1.6, 24, 48),
    Station("Celtic Sea", 49.40, -8.60, 145, 11.6, 2.4, 20, 32),
    Station("Boknis Eck", 54.52, 10.04, 28, 8.2, 3.8, 8, 12),
    Station("Azores Front", 34.20, -23.10, 4300, 18.6, 0.28, 78, 75),
    Station("Bay of Biscay", 46.30, -6.40, 4650, 14.0, 1.9, 18, 40),
    Station("Iceland Basin", 60.00, -20.00, 2750, 9.1, 1.2, 22, 90),
    Station("German Bight", 54.10, 7.55, 38, 8.9, 4.6, 7, 14),
    Station("Fram Strait", 79.07, 4.18, 2480, 1.6, 0.9, 26, 34),
    Station("DYFAMED", 43.42, 7.87, 2350, 15.2, 0.9, 42, 30),
)
"""Long-term observatories and shelf seas; the first six are the default cruise, from south to north."""


@dataclass(frozen=True)
class Population:
    """One taxon in one range of sizes.

    Args:
        name: unique.
        taxon: name in `aqqua.ocean.organisms.TAXA`.
        shortest_um, longest_um: range of lengths.
        skew: 1 is even on a logarithmic scale; larger means more small ones.
        per_l: concentration where all conditions are best, per litre.
        best_c, width_c: temperature it likes, and how particular it is.
        likes_chlorophyll: exponent of chlorophyll (1 mg m⁻³ changes nothing).
        layer: "surface", "maximum" (of chlorophyll), "below", "even".
    """

    name: str
    taxon: str
    shortest_um: float
    longest_um: float
    skew: float
    per_l: float
    best_c: float = 14.0
    width_c: float = 14.0
    likes_chlorophyll: float = 0.0
    layer: str = "even"

    def length_um(self, share: float | Array) -> Array:
        """The length below which this share of the population is."""
        share = np.asarray(share, np.float64)
        out: Array = self.shortest_um * (self.longest_um / self.shortest_um) ** (share**self.skew)
        return out


POPULATIONS = (
    # of millimetres, seen from the towed frame
    Population("large calanoids", "Calanoida", 1200, 4200, 1.4, 0.50, 11, 9, 0.3, "maximum"),
    Population("small calanoids", "Calanoida", 550, 1300, 1.0, 1.10, 15, 11, 0.3, "maximum"),
    Population("cyclopoids", "Cyclopoida", 420, 1050, 1.0, 1.50, 17, 14, 0.1),
    Population("nauplii in the water", "nauplii<Copepoda", 150, 390, 1.2, 6.0, 14, 12, 0.3, "maximum"),
    Population("arrow worms", "Chaetognatha", 2400, 15000, 1.3, 0.30, 15, 14),
    Population("medusae", "Hydrozoa", 600, 8500, 1.6, 0.36, 14, 12),
    Population("appendicularians", "Appendicularia", 850, 4800, 1.3, 0.80, 14, 12, 0.2, "surface"),
    Population("wing snails", "Limacinidae", 330, 1700, 1.2, 0.75, 8, 9),
    Population("large radiolarians", "Radiolaria", 320, 2600, 1.5, 2.2, 22, 9, -0.2, "surface"),
    Population("Trichodesmium colonies", "Trichodesmium", 850, 3600, 1.2, 1.8, 25, 5, -0.2, "surface"),
    Population("large chains", "chain<Bacillariophyceae", 170, 400, 1.2, 1.6, 11, 9, 0.7, "maximum"),
    Population("large pellets", "fecal pellets", 330, 1700, 1.4, 0.90, 12, 14, 0.4, "below"),
    Population("marine snow", "detritus", 480, 5200, 1.7, 1.20, 14, 30, 0.3, "below"),
    Population("fibers", "fiber<detritus", 700, 4200, 1.2, 0.10, 14, 30),
    Population("bubbles", "bubble", 380, 1700, 1.3, 0.70, 14, 30, 0.0, "surface"),
    # of tens of µm, seen in the laboratory
    Population("chains", "chain<Bacillariophyceae", 30, 380, 1.3, 1100, 11, 9, 0.6, "maximum"),
    Population("dinoflagellates", "Dinophyceae", 20, 250, 1.5, 1200, 17, 10, 0.2, "surface"),
    Population("ciliates", "Ciliophora", 17, 85, 1.0, 1400, 14, 12, 0.2, "maximum"),
    Population("tintinnids", "Tintinnida", 38, 250, 1.0, 450, 15, 12, 0.2),
    Population("trichomes", "Trichodesmium", 60, 400, 1.2, 420, 25, 5, -0.2, "surface"),
    Population("small nauplii", "nauplii<Copepoda", 92, 320, 1.1, 170, 14, 12, 0.3),
    Population("small radiolarians", "Radiolaria", 60, 310, 1.2, 260, 22, 10, -0.2),
    Population("small pellets", "fecal pellets", 60, 320, 1.3, 190, 12, 14, 0.4),
    Population("small detritus", "detritus", 18, 260, 1.8, 1000, 14, 30, 0.4),
    Population("microbubbles", "bubble", 40, 190, 1.2, 45, 14, 30, 0.0, "surface"),
    Population("microfibers", "fiber<detritus", 280, 420, 1.0, 14, 14, 30),
)  # fmt: skip


@dataclass(frozen=True)
class Visit:
    """A station at a time.

    Args:
        sample: number from 1.
        station: where.
        time_utc: when the first instrument went into the water.
        seed: of the ocean.
    """

    sample: int
    station: Station
    time_utc: datetime
    seed: int

    @property
    def name(self) -> str:
        """Name of the visit, as labels on jars have it."""
        return f"AQ24_{self.sample:03d}_{self.station.name.replace(' ', '')}"

    @property
    def deepest_m(self) -> float:
        """How deep the frame is towed: 200 m, or 4 m above the bottom."""
        return float(min(200.0, self.station.bottom_m - 4))

    @cached_property
    def _weather(self) -> tuple[float, float]:
        rng = named_rng(self.seed, "weather", self.sample)
        return float(rng.normal(0, 0.5)), float(np.exp(rng.normal(0, 0.2)))

    def temperature_c(self, depth_m: float | Array) -> Array:
        """Temperature: a mixed layer, below it an exponential thermocline."""
        depth = np.asarray(depth_m, np.float64)
        surface = self.station.surface_c + self._weather[0]
        deep = min(surface - 0.5, 10.5 if self.station.latitude < 62 else 0.5)
        out: Array = deep + (surface - deep) * np.exp(-np.maximum(depth - self.station.mixed_m, 0) / 140)
        return out

    def chlorophyll_mg_m3(self, depth_m: float | Array) -> Array:
        """Chlorophyll: a maximum at some depth over a faint background."""
        depth = np.asarray(depth_m, np.float64)
        width = 0.6 * self.station.maximum_m + 4
        peak = self.station.chlorophyll * self._weather[1] * np.exp(-(((depth - self.station.maximum_m) / width) ** 2))
        out: Array = peak + 0.03 * np.exp(-depth / 150)
        return out

    def concentration_per_l(self, population: Population, depth_m: float | Array) -> Array:
        """True concentration of a population at a depth, per litre."""
        depth = np.asarray(depth_m, np.float64)
        rng = named_rng(self.seed, "patchiness", self.sample, population.name)
        patch = float(np.exp(rng.normal(0, 0.35)))
        warm = np.exp(-(((self.temperature_c(0.0) - population.best_c) / population.width_c) ** 2))
        green = self.station.chlorophyll**population.likes_chlorophyll
        out: Array = population.per_l * patch * warm * green * self._layer(population.layer, depth)
        return out

    def _layer(self, layer: str, depth: Array) -> Array:
        share: Array = 0.45 + 0.55 * np.exp(-depth / 110)
        if layer == "surface":
            share = np.exp(-depth / (0.35 * self.station.mixed_m + 18))
        if layer == "maximum":
            middle = self.station.maximum_m
            share = 0.12 + 0.88 * np.exp(-(((depth - middle) / (0.7 * middle + 10)) ** 2))
        if layer == "below":
            share = 0.35 + 0.65 / (1 + np.exp(-(depth - self.station.mixed_m) / 12))
        return share

    def mean_per_l(self, population: Population, top_m: float, bottom_m: float) -> float:
        """Mean concentration between two depths, per litre."""
        return float(self.concentration_per_l(population, top_m + _FINE_M * (bottom_m - top_m)).mean())

    def depth_of(self, population: Population, top_m: float, bottom_m: float, share: float) -> float:
        """The depth above which this share of a population in the range lives."""
        depth = top_m + _FINE_M * (bottom_m - top_m)
        density = self.concentration_per_l(population, depth)
        above = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
        return float(np.interp(share * above[-1], above, depth))


def visits(seed: int, samples: int) -> list[Visit]:
    """The cruise: one station after the other, and on to the first again, some 70 hours apart, by day and night."""
    found, time = [], _CRUISE_START
    for sample in range(1, samples + 1):
        found.append(Visit(sample, STATIONS[(sample - 1) % len(STATIONS)], time, seed))
        time += timedelta(hours=64, minutes=int(named_rng(seed, "cruise", sample).integers(0, 1100)))
    return found
