"""What turns a size spectrum into carbon flux: F = Σ nᵢ · A · dᵢᵇ, published (presets), your own, or calibrated.

n is in particles per litre, d in millimetres, F in mg C m⁻² d⁻¹: A holds the carbon of a particle of 1 mm times its
sinking speed (Guidi et al. 2008). A preset is only as good as the spectra it was made for: each carries the range of
sizes it counts.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqqua.errors import ConfigError, NotFoundError, UnknownNameError
from aqqua.store.atomic import write_json

__all__ = ["PRESETS", "FluxModel", "flux_model", "read_model", "reference", "write_model"]

_MAX_BYTES = 1 << 20
_NUMBERS = ("a", "b", "esd_min_um", "esd_max_um", "attenuation", "station_sd", "depth_min_m", "depth_max_m")


@dataclass(frozen=True)
class FluxModel:
    """One relation between size spectrum and flux.

    Args:
        name: of the preset or calibration.
        a: A, mg C m⁻² d⁻¹ for one particle of 1 mm per litre.
        b: exponent of the diameter.
        esd_min_um: smallest diameter counted, µm.
        esd_max_um: largest diameter counted, µm.
        attenuation: c in (depth / 100 m)⁻ᶜ: how much less carbon sinks per particle at depth; 0: no change.
        station_sd: sd of ln flux between stations the relation was not made on; 0 where nobody said.
        depth_min_m: shallowest depth it was made for.
        depth_max_m: deepest depth it was made for.
        status: "checked" where numbers and units were seen in two places, else "unchecked"; "own"; "calibrated".
        source: citation.
        doi: of the source, empty where it was not seen.
        note: what to know before using it.
    """

    name: str
    a: float
    b: float
    esd_min_um: float
    esd_max_um: float
    attenuation: float = 0.0
    station_sd: float = 0.0
    depth_min_m: float = 0.0
    depth_max_m: float = 12_000.0
    status: str = "own"
    source: str = ""
    doi: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        numbers = (getattr(self, name) for name in _NUMBERS)
        if not all(math.isfinite(number) for number in numbers):
            raise ConfigError(f"the flux relation {self.name!r} has a number that is none", do="check A, b and sizes")
        if self.a <= 0 or not 0 <= self.esd_min_um < self.esd_max_um or self.station_sd < 0:
            what = f"the flux relation {self.name!r} needs A above 0 and sizes that rise"
            raise ConfigError(what, do=f"A {self.a:g}, sizes {self.esd_min_um:g}–{self.esd_max_um:g} µm were given")

    def per_particle(self, esd_um: NDArray[np.float64]) -> NDArray[np.float64]:
        """Flux of one particle per litre of each diameter in µm at 100 m, mg C m⁻² d⁻¹, (n,)."""
        return np.asarray(self.a * (np.asarray(esd_um, np.float64) / 1000) ** self.b)

    def at_depth(self, depth_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the flux is multiplied by at a depth in m (1 if the relation does not change with depth), (n,)."""
        depth = np.maximum(np.asarray(depth_m, np.float64), 1.0)
        return np.asarray((depth / 100) ** -self.attenuation)


def _kriest(speed: float) -> float:
    """A from carbon and sinking speed of an aggregate of 1 mm (0.1 cm), per litre.

    A cell of 0.002 cm holds 0.012 nmol N, mass goes with d^1.62, speed in m d⁻¹ is `speed` · d^0.62 (d in cm): Kriest
    (2002) as the ocean model HAMOCC has it; 106 C to 16 N, 12.011 g mol⁻¹.
    """
    carbon_mg = 0.012 / math.pow(0.002, 1.62) * 106 / 16 * 12.011e-6
    return carbon_mg * speed * math.pow(0.1, 2.24) * 1000


_GUIDI = FluxModel(
    "guidi2008",
    12.5,
    3.81,
    102,
    1500,
    status="checked",
    source="Guidi et al. 2008, Deep-Sea Research I 55: 1364–1374",
    note="what EcoPart shows; fitted to traps and UVP spectra of 0.1–1.5 mm; EcoPart itself adds up 0.26–1.63 mm",
)
_BISSON = FluxModel(
    "bisson2022",
    2.8,
    2.24,
    64,
    26008,
    status="unchecked",
    source="Bisson et al. 2022, Limnology and Oceanography: Methods 20",
    note="numbers from a program that cites equation 5 of the paper; the range is that of a UVP5, not of the paper",
)
_KRIEST = FluxModel(
    "kriest2002",
    _kriest(66),
    2.24,
    20,
    10000,
    status="unchecked",
    source="Kriest 2002, Deep-Sea Research I 49: 2133–2162",
    doi="10.1016/S0967-0637(02)00127-9",
    note="carbon and speed as the ocean model HAMOCC takes them from the paper: 66 d^0.62 m/d, d in cm",
)
PRESETS: dict[str, FluxModel] = {
    one.name: one
    for one in (
        _GUIDI,
        _BISSON,
        _KRIEST,
        replace(_KRIEST, name="kriest2002_fast", a=_kriest(132), note="as kriest2002, sinking twice as quickly"),
    )
}
"""Name → published relation."""


def flux_model(
    name: str | Path = "guidi2008",
    *,
    a: float | None = None,
    b: float | None = None,
    esd_min_um: float | None = None,
    esd_max_um: float | None = None,
) -> FluxModel:
    """A preset, a calibration from a file, or either with numbers of your own.

    Args:
        name: a preset, or the path of a calibration (`.json`) that `aqqua map flux calibrate` wrote.
        a: A of your own.
        b: exponent of your own.
        esd_min_um: smallest diameter counted, µm.
        esd_max_um: largest diameter counted, µm.

    Raises:
        UnknownNameError: no preset is called so, and there is no such file.
        ConfigError: numbers that cannot be.
    """
    base = PRESETS.get(str(name))
    if base is None:
        if not str(name).endswith(".json"):
            raise UnknownNameError("flux relation", str(name), PRESETS)
        base = read_model(Path(name))
    given = {"a": a, "b": b, "esd_min_um": esd_min_um, "esd_max_um": esd_max_um}
    own: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if not own:
        return base
    told = ", ".join(f"{key} {value:g}" for key, value in own.items())
    return replace(base, **own, name=f"{base.name} with {told}", status="own", station_sd=0.0, note="")


def write_model(model: FluxModel, path: Path, about: dict[str, Any]) -> Path:
    """Write a relation as JSON, with where it comes from."""
    if path.suffix.lower() != ".json":
        raise ConfigError("calibrations are written as .json", where=path)
    write_json(path, {"kind": "aqqua flux relation", **asdict(model), "about": about})
    return path


def read_model(path: Path) -> FluxModel:
    """Read a relation that `write_model` wrote.

    Raises:
        NotFoundError: there is no such file.
        ConfigError: it is no relation, or has a wrong entry.
    """
    if not path.is_file():
        raise NotFoundError("there is no such calibration", where=path, do="make one: aqqua map flux calibrate")
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError("it is larger than 1 MiB")
        told = json.loads(path.read_text("utf-8"))
        names = [field.name for field in fields(FluxModel)]
        kept = {name: told[name] for name in names if name in told}
        numbers = {name: float(kept[name]) for name in _NUMBERS if name in kept}
        return FluxModel(**{**kept, **numbers})
    except (ValueError, TypeError, KeyError, UnicodeDecodeError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"this is no calibration of flux ({error})", where=path) from error


def reference() -> str:
    """The presets as Markdown, for the documentation."""
    lines = ["| preset | A | b | counts | status | source | note |", "|---|---|---|---|---|---|---|"]
    for one in PRESETS.values():
        cite = f"{one.source}, [doi](https://doi.org/{one.doi})" if one.doi else one.source
        span = f"{one.esd_min_um:g}–{one.esd_max_um:g} µm"
        lines.append(f"| `{one.name}` | {one.a:.3g} | {one.b:g} | {span} | {one.status} | {cite} | {one.note} |")
    return "\n".join(lines) + "\n"
