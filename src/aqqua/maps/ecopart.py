"""EcoPart's exports (detailed and reduced, as TSV): particle spectra (PAR) and zooplankton (ZOO) by depth.

A PAR file has a row per 5 m of a profile: its sampled volume, and number per litre and biovolume of each size class.
A ZOO file names only the layers in which something was found, in the same 5 m (detailed) or in coarser layers (reduced,
see `LAYERS_M`); layers without any organism are known from the volumes of the PAR file alone. All is Latin-1.
Layout after the code that writes it (EcoPart, `part_app/tasks/taskpartexport.py`) and 121 exported profiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from aqqua.errors import SourceError
from aqqua.maps.ecopart_files import Member, profile_rows, read_members
from aqqua.maps.ecopart_tables import spectra_of, with_zeros, zoo_of
from aqqua.metadata.check import Finding

__all__ = ["EcoPart", "read_ecopart"]


@dataclass(frozen=True)
class EcoPart:
    """What exports of EcoPart hold.

    Args:
        spectra: a spectra table (see `aqqua.maps.spectra`): a row per profile, layer and size class.
        zoo: a row per profile, layer and taxon with abundance and biovolume; empty if there was no ZOO file.
        findings: what looks wrong.
        profiles: number of profiles with rows.
        owners: who owns the data by the export, without addresses.
    """

    spectra: pl.DataFrame
    zoo: pl.DataFrame
    findings: list[Finding] = field(default_factory=list)
    profiles: int = 0
    owners: tuple[str, ...] = ()


def read_ecopart(paths: Sequence[Path | str]) -> EcoPart:
    """Read exports of EcoPart.

    Args:
        paths: zip files, folders, or single files (`.tsv`, `.tsv.gz`); the metadata summary of an export must be
            among them or beside them, for only it tells positions.

    Returns:
        Tables and findings; profiles without a position keep null there, and are named.

    Raises:
        NotFoundError: a path is not there.
        SourceError: nothing of EcoPart is there, or a table cannot be read.
    """
    members = read_members([Path(path) for path in paths])
    kinds: dict[str, list[Member]] = {kind: [one for one in members if one.kind == kind] for kind in ("PAR", "ZOO")}
    if not any(kinds.values()):
        do = "name the folder, the zip or the files …_PAR_….tsv; ODV exports are not read: export as TSV"
        raise SourceError("there is no table of EcoPart", where=", ".join(map(str, paths)), do=do)
    findings: list[Finding] = []
    known = profile_rows([one for one in members if one.kind == "summary"], findings)
    spectra = spectra_of(kinds["PAR"], known, findings)
    zoo = zoo_of(kinds["ZOO"], known, findings)
    if zoo.height:
        zoo = with_zeros(zoo, spectra, findings)
    seen = spectra["sample_id"].unique().to_list() + zoo["sample_id"].unique().to_list()
    return EcoPart(spectra, zoo, findings, len(set(seen)), _owners(known, set(seen)))


def _owners(known: pl.DataFrame, seen: Iterable[str]) -> tuple[str, ...]:
    """Names of owners, written in one way."""
    some = known.filter(pl.col("sample_id").is_in(list(seen)))["owner"].drop_nulls().unique().to_list()
    return tuple(sorted({" ".join(name.split()).title() for name in some if name.strip()}))
