"""All an EcoTaxa server knows, in memory; tests fill it and look into it."""

from __future__ import annotations

import io
import random
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from PIL import Image

from tests.ecotaxa_double.tables import START, Acquisition, Classification, Job, Obj, Person, Picture, Project, Sample
from tests.ecotaxa_double.taxa import TAXA, Taxon

__all__ = ["World", "png"]


class World:
    """All a server knows; tests fill it and look into it."""

    def __init__(self) -> None:
        self.people: dict[int, Person] = {}
        self.projects: dict[int, Project] = {}
        self.samples: dict[int, Sample] = {}
        self.acquisitions: dict[int, Acquisition] = {}
        self.objects: dict[int, Obj] = {}
        self.pictures: dict[str, Picture] = {}
        self.thumbs: dict[str, Picture] = {}
        self.jobs: dict[int, Job] = {}
        self.taxa: dict[int, Taxon] = dict(TAXA)
        self.tokens: dict[str, int] = {}
        self.folders: dict[int, dict[str, dict[str, bytes]]] = {}
        self.uploads: dict[str, tuple[int, str, int, bytearray]] = {}
        self.collections: dict[int, dict[str, Any]] = {}
        self.slow_jobs = 0
        self._next_person = 9
        self._next_image = 1000
        self._clock = START
        self._random = random.Random(7)
        admin = Person(1, "Application Administrator", "administrator@email.test", "ecotaxa", can_do=(1, 2, 3, 4))
        admin.organisation = "Institute"
        self.people[1] = admin

    def now(self) -> datetime:
        """The server's time, which goes on a little at every look."""
        self._clock += timedelta(milliseconds=37, microseconds=211)
        return self._clock

    def image_block(self) -> int:
        """First image id of a new import: ids are handed out in blocks of a hundred."""
        first = self._next_image
        self._next_image += 100
        return first

    def taken_images(self, last: int) -> None:
        """Go on behind the image ids that an import used."""
        self._next_image = max(self._next_image, -(-(last + 1) // 100) * 100)

    def random_value(self) -> int:
        """The 64-bit number every object gets."""
        return self._random.randrange(-(2**63), 2**63)

    # ---- filling, for tests

    def add_person(self, name: str, email: str, **more: Any) -> Person:
        """Make an account."""
        person = Person(self._next_person, name, email, **more)
        self._next_person += 1
        self.people[person.id] = person
        return person

    def add_project(self, title: str, owner: Person, **more: Any) -> Project:
        """Make a project whose manager and contact is the owner."""
        project = Project(len(self.projects) + 1, title, contact=owner.id, **more)
        project.rights = {owner.id: "Manage", **project.rights}
        self.projects[project.projid] = project
        return project

    def add_sample(self, project: Project, orig_id: str, **free: str) -> Sample:
        """Make a sample, or return the one there is."""
        for sample in self.samples.values():
            if (sample.projid, sample.orig_id) == (project.projid, orig_id):
                return sample
        sample = Sample(project.projid * 10**6 + project.next_sample, project.projid, orig_id, dict(free))
        project.next_sample += 1
        self.samples[sample.id] = sample
        self._map(project, "samples", free)
        return sample

    def add_acquisition(
        self, project: Project, sample: Sample, orig_id: str, process: dict[str, str] | None = None, **free: str
    ) -> Acquisition:
        """Make an acquisition, or return the one there is."""
        for made in self.acquisitions.values():
            if (made.sample.projid, made.orig_id) == (project.projid, orig_id):
                return made
        number = project.projid * 10**7 + project.next_acquisition
        made = Acquisition(number, sample, orig_id, project.instrument, dict(free), f"{sample.orig_id}_proc")
        made.process_free = dict(process or {})
        project.next_acquisition += 1
        self.acquisitions[number] = made
        self._map(project, "acquisitions", free)
        self._map(project, "process", made.process_free)
        return made

    def add_object(
        self,
        project: Project,
        acquisition: Acquisition,
        orig_id: str,
        pixels: np.ndarray | bytes | list[np.ndarray | bytes] | None = None,
        *,
        ranks: tuple[int, ...] = (0, 1, 2, 3),
        taxon: int | None = None,
        qual: str | None = None,
        who: int | None = None,
        free: dict[str, Any] | None = None,
        **header: Any,
    ) -> Obj:
        """Make an object with its images (arrays become PNG).

        Args:
            ranks: of the images; (1, 100) is a UVP6 vignette and its original.
            header: objdate, objtime, latitude, longitude, depth_min, depth_max …
        """
        made = Obj(project.projid * 10**8 + project.next_object, orig_id, acquisition, random_value=self.random_value())
        project.next_object += 1
        made.header = {**DEFAULT_HEADER, **header}
        made.free = dict(free or {})
        made.now = Classification(taxon, qual, 1.0 if qual == "P" else None, who, None)
        if qual in {"V", "D", "X"}:
            made.now.when = self.now()
        self._map(project, "obj_field", made.free)
        self.objects[made.id] = made
        images = pixels if isinstance(pixels, list) else [pixels if pixels is not None else _gray()]
        first = self._next_image
        for number, (image, rank) in enumerate(zip(images, ranks, strict=False)):
            self.add_picture(made, first + number, rank, image, f"{orig_id}.png")
        self._next_image += len(images)
        return made

    def add_picture(self, obj: Obj, imgid: int, rank: int, image: np.ndarray | bytes, name: str) -> Picture:
        """Store an image file in the vault."""
        data = image if isinstance(image, bytes) else png(image)
        with Image.open(io.BytesIO(data)) as opened:
            width, height = opened.size
        file_name = f"{imgid // 10000:04d}/{imgid % 10000:04d}.{name.rpartition('.')[2].lower()}"
        picture = Picture(imgid, rank, width, height, name, file_name, data)
        obj.pictures.append(picture)
        obj.pictures.sort(key=lambda picture: picture.rank)
        self.pictures[file_name] = picture
        if picture.thumb_name:
            self.thumbs[picture.thumb_name] = picture
        return picture

    # ---- looking

    def objects_of(self, projid: int) -> list[Obj]:
        """Objects of a project by id."""
        return [obj for number, obj in sorted(self.objects.items()) if number // 10**8 == projid]

    def person_by_email(self, email: str) -> Person | None:
        """An account by its e-mail address."""
        return next((person for person in self.people.values() if person.email == email), None)

    @staticmethod
    def _map(project: Project, table: str, free: dict[str, Any]) -> None:
        """Give new free columns a database column, as an import does."""
        known = project.columns[table]
        for name, value in free.items():
            if name not in known:
                kind = "n" if table == "obj_field" and isinstance(value, int | float) else "t"
                known[name] = f"{kind}{sum(code[0] == kind for code in known.values()) + 1:02d}"


DEFAULT_HEADER: dict[str, Any] = {
    "objdate": "2023-05-14",
    "objtime": "09:30:15",
    "latitude": 43.681,
    "longitude": 7.31,
    "depth_min": 0.0,
    "depth_max": 75.5,
    "object_link": None,
    "complement_info": None,
    "sunpos": "D",
}


def png(pixels: np.ndarray) -> bytes:
    """An array as PNG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _gray() -> np.ndarray:
    return np.full((50, 60), 128, np.uint8)
