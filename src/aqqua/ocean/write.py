"""Write a virtual ocean: raw source files as instruments and databases give them, and the sealed truth about them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aqqua.errors import ConfigError
from aqqua.ocean.flaws import Flaw
from aqqua.ocean.sightings import Sighting, Written, see
from aqqua.ocean.survey import Deployment, deployments, organisms_in
from aqqua.ocean.truth import TruthWriter, seal
from aqqua.ocean.world import visits
from aqqua.ocean.write_ecotaxa import PlanktoScopeExport, ZooScanBackup
from aqqua.ocean.write_folders import FluorescenceFolder, IsiisFolder, SpcFolders
from aqqua.ocean.write_ifcb import IfcbBins
from aqqua.progress import job

__all__ = ["OceanReport", "write_ocean"]


@dataclass(frozen=True)
class OceanReport:
    """What was written.

    Args:
        sources: raw sources, each ready for `aqqua ingest`.
        truth: folder of the sealed truth.
        images: number of images in all sources.
        organisms: number of organisms and particles in the water that was looked at.
        shared: how many of them are in two or more images.
    """

    sources: list[Path]
    truth: Path
    images: int = 0
    organisms: int = 0
    shared: int = 0

    def __str__(self) -> str:
        """One sentence."""
        return (
            f"{self.images:,} images in {len(self.sources)} sources of {self.organisms:,} organisms and particles, "
            f"{self.shared:,} of them seen by two or more instruments; the truth is in {self.truth}"
        )


class SourceWriter(Protocol):
    """Writes what one instrument sees into its raw format."""

    @property
    def key(self) -> str:
        """Key of the instrument."""

    @property
    def name(self) -> str:
        """Name of the source within the ocean's folder."""

    def write(self, deployment: Deployment, sightings: Sequence[Sighting]) -> list[Written]:
        """Write the sightings of one visit; says where each is."""

    def close(self) -> list[Flaw]:
        """Finish; says which mistakes were made."""


_WRITERS = (ZooScanBackup, IsiisFolder, SpcFolders, IfcbBins, PlanktoScopeExport, FluorescenceFolder)


def write_ocean(
    out: Path | str, *, seed: int = 0, samples: int = 6, images: int = 1200, flaws: bool = True
) -> OceanReport:
    """Write raw sources from a virtual ocean, with everything that is true about them.

    Args:
        out: folder to write into; what an earlier ocean left there is replaced.
        seed: same seed, same bytes.
        samples: number of visits to stations.
        images: about how many images all instruments take together; how many exactly is chance, as at sea.
        flaws: make a few mistakes on purpose (recorded in `truth/flaws.parquet`).

    Returns:
        Where the sources and the truth are.

    Raises:
        ConfigError: no sample or no image is asked for, or the folder holds something else under these names.
    """
    out = Path(out)
    if samples < 1 or images < 1:
        raise ConfigError(f"an ocean of {samples} samples and {images} images is empty", do="ask for at least one")
    _clear(out)
    truth = TruthWriter(out / "truth")
    writers: dict[str, SourceWriter] = {writer.key: writer(out, seed, flawed=flaws) for writer in _WRITERS}
    count, organisms, shared = 0, 0, 0
    with job("Drawing plankton", images, unit="images") as advance:
        for visit in visits(seed, samples):
            truth.visit(visit)
            for deployment in deployments(visit, images / samples):
                found = _survey(deployment, writers, truth, advance)
                count, organisms, shared = count + found[0], organisms + found[1], shared + found[2]
    truth.flaws([flaw for writer in writers.values() for flaw in writer.close()])
    truth.close()
    sources = [out / writer.name for writer in writers.values()]
    seal(out, sources, seed=seed, samples=samples, images_asked=images, flaws=flaws, images=count)
    return OceanReport(sources, out / "truth", count, organisms, shared)


def _survey(
    deployment: Deployment, writers: Mapping[str, SourceWriter], truth: TruthWriter, advance: Callable[..., None]
) -> tuple[int, int, int]:
    """Everybody in the water, before all instruments of one deployment: images, organisms, and those seen twice."""
    seen: dict[str, list[Sighting]] = {key: [] for key in deployment.rig.instruments}
    organisms = shared = 0
    for organism in organisms_in(deployment):
        truth.organism(organism)
        found = [key for key, detected in organism.detected.items() if detected]
        organisms, shared = organisms + 1, shared + (len(found) > 1)
        for key in found:
            seen[key].append(see(organism, key, deployment, len(seen[key]) + 1))
            advance(note=deployment.visit.station.name)
    for key, sightings in seen.items():
        for sighting, written in zip(sightings, writers[key].write(deployment, sightings), strict=True):
            truth.sighting(sighting, written)
    images = {key: len(sightings) for key, sightings in seen.items()}
    truth.deployment(deployment, {key: writers[key].name for key in seen}, images)
    return sum(images.values()), organisms, shared


def _clear(out: Path) -> None:
    """Make room: remove what an earlier ocean wrote, and nothing else."""
    truth = out / "truth"
    taken = [out / writer.name for writer in _WRITERS if (out / writer.name).exists()]
    if taken and not (truth / "masks.zip").exists():
        raise ConfigError("there is something else where the ocean should go", where=taken[0], do="choose a new folder")
    (truth / "SEAL.json").unlink(missing_ok=True)
    for path in taken:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    if (truth / "masks.zip").exists():
        shutil.rmtree(truth)
    truth.mkdir(parents=True, exist_ok=True)
