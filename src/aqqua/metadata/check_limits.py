"""Where the checks draw their lines; every one can be moved in card.yaml (`checks:`) or with `aqqua check --limits`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from aqqua.errors import ConfigError, NotFoundError, UnknownNameError

__all__ = ["Limits"]

# Nobody took images in the water with them before.
_FIRST_YEARS = {
    "VPR": 1990,  # Davis et al. 1992, Arch. Hydrobiol. Beih. 36, 67
    "IFCB": 2003,  # Olson & Sosik 2007, doi:10.4319/lom.2007.5.195: first deployments 2003
    "ISIIS": 2007,  # Cowen & Guigand 2008, doi:10.4319/lom.2008.6.126
    "UVP5": 2007,  # Picheral et al. 2010, doi:10.4319/lom.2010.8.462
    "LOKI": 2005,  # Schulz et al. 2010, doi:10.2971/jeos.2010.10017s
    "SPC": 2012,  # Orenstein et al. 2020, doi:10.1002/lom3.10394: at the pier since 2015, built from 2012 on
    "UVP6": 2017,  # Picheral et al. 2022, doi:10.1002/lom3.10475
}


@dataclass(frozen=True)
class Limits:
    """The thresholds. Those of the seven sample flags are PSSdb's.

    PSSdb: Dugenne et al. 2024, doi:10.5194/essd-16-2971-2024, and its `funcs_standardize_projects.py`
    (github.com/jessluo/PSSdb). The others are ours.

    Args:
        count_uncertainty: a sample has too few images if the Poisson probability of its own count is greater
            (PSSdb: 0.05, which means fewer than 64 images).
        artefact_share: share of artefacts, bubbles and beads in a sample from which on it is flagged (PSSdb: 0.20).
        validated_share: least share of validated labels in a sample (PSSdb: 0.95, ZooScan and UVP only).
        validated_instruments: instruments whose samples should be validated.
        coast_km: how far from the sea of a 1-km land mask a position may be (PSSdb: 0 km of a 1:10,000,000 coast line).
        speed_knots: fastest way between two stations of a cruise.
        far_km: stations that are nearer than this are not judged by speed.
        below_floor_m: how far below the sea floor of the bathymetry a depth may be …
        below_floor_share: … or which share of the floor's depth, if that is more.
        same_samples: from how many samples on a time that never changes is odd.
        home_degrees: a corrected position this near to the other stations is believed.
        first_year: per instrument the year before which it did not exist.
    """

    count_uncertainty: float = 0.05
    artefact_share: float = 0.20
    validated_share: float = 0.95
    validated_instruments: tuple[str, ...] = ("ZooScan", "UVP5", "UVP6")
    coast_km: float = 5.0
    speed_knots: float = 30.0
    far_km: float = 10.0
    below_floor_m: float = 50.0
    below_floor_share: float = 0.10
    same_samples: int = 5
    home_degrees: float = 5.0
    first_year: Mapping[str, int] = field(default_factory=lambda: dict(_FIRST_YEARS))

    @classmethod
    def of(cls, values: Mapping[str, Any], *, where: object = None) -> Limits:
        """The usual thresholds with some replaced.

        Raises:
            UnknownNameError: there is no such threshold; the message names the nearest.
            ConfigError: a value has the wrong form.
        """
        usual, known = cls(), {entry.name for entry in dataclasses.fields(cls)}
        chosen: dict[str, Any] = {}
        for name, value in values.items():
            if name not in known:
                raise UnknownNameError("threshold of the checks", str(name), known, where=where)
            chosen[name] = _conform(str(name), value, getattr(usual, name), where)
        return cls(**chosen)

    @classmethod
    def load(cls, path: Path | str) -> Limits:
        """Read a YAML file of `name: value` lines.

        Raises:
            NotFoundError: there is no such file.
            ConfigError: it is not YAML, or a value has the wrong form.
            UnknownNameError: there is no such threshold.
        """
        try:
            values = yaml.safe_load(Path(path).read_text(encoding="utf-8-sig")) or {}
        except OSError as error:
            raise NotFoundError("there is no such file of thresholds", where=path, do="check the path") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ConfigError(f"the thresholds are not valid YAML: {error}", where=path) from error
        if not isinstance(values, dict):
            raise ConfigError("thresholds are 'name: value' lines", where=path, do="for example  coast_km: 2")
        return cls.of(values, where=path)


def _conform(name: str, value: Any, usual: Any, where: object) -> Any:
    """The value in the form of the usual one; what is given per instrument is added to what is known."""
    if isinstance(usual, Mapping) and isinstance(value, Mapping):
        if all(isinstance(year, int) for year in value.values()):
            return {**usual, **{str(key): year for key, year in value.items()}}
    elif isinstance(usual, tuple) and isinstance(value, (list, tuple)):
        return tuple(str(item) for item in value)
    elif isinstance(usual, (int, float)) and type(value) in {int, float} and value >= 0:
        return type(usual)(value)
    raise ConfigError(f"the threshold {name} cannot be {value!r}", where=where, do=f"it is usually {usual!r}")
