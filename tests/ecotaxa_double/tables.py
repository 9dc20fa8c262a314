"""The rows of an EcoTaxa server: people, projects, samples, acquisitions, objects, images, jobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

__all__ = ["START", "Acquisition", "Classification", "Job", "Obj", "Person", "Picture", "Project", "Sample"]

START = datetime(2026, 11, 23, 5, 25, 29, 196649)


@dataclass
class Person:
    """An account."""

    id: int
    name: str
    email: str
    password: str = "Str0ng#Passw0rd"
    organisation: str = "org2"
    status: int = 1
    can_do: tuple[int, ...] = (1,)
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Project:
    """A project; `rights` has one right per person, active or not; mappings go from free column to database column."""

    projid: int
    title: str
    access: str = "0"
    instrument: str = "Zooscan"
    rights: dict[int, str] = field(default_factory=dict)
    contact: int | None = None
    columns: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"obj_field": {}, "samples": {}, "acquisitions": {}, "process": {}}
    )
    settings: dict[str, Any] = field(default_factory=dict)
    next_sample: int = 1
    next_acquisition: int = 1
    next_object: int = 1


@dataclass
class Sample:
    """A sample; free columns are text."""

    id: int
    projid: int
    orig_id: str
    free: dict[str, str | None] = field(default_factory=dict)
    dataportal_descriptor: str | None = None


@dataclass
class Acquisition:
    """An acquisition and its processing, which has the same id."""

    id: int
    sample: Sample
    orig_id: str
    instrument: str | None = None
    free: dict[str, str | None] = field(default_factory=dict)
    process_orig_id: str = ""
    process_free: dict[str, str | None] = field(default_factory=dict)


@dataclass
class Picture:
    """An image of an object."""

    imgid: int
    rank: int
    width: int
    height: int
    orig_file_name: str
    file_name: str
    data: bytes

    @property
    def large(self) -> bool:
        """Whether it has a thumbnail (a side of more than 400 px)."""
        return max(self.width, self.height) > 400

    @property
    def thumb(self) -> tuple[int | None, int | None]:
        """Size of the thumbnail."""
        factor = 400 / max(self.width, self.height)
        return (int(self.width * factor), int(self.height * factor)) if self.large else (None, None)

    @property
    def thumb_name(self) -> str | None:
        """File of the thumbnail."""
        return f"{self.file_name.rpartition('.')[0]}_mini.jpg" if self.large else None


@dataclass
class Classification:
    """A state of an object: qual None is unclassified; P predicted, V validated, D dubious, X discarded."""

    taxon: int | None = None
    qual: str | None = None
    score: float | None = None
    who: int | None = None
    when: datetime | None = None


@dataclass
class Obj:
    """An object."""

    id: int
    orig_id: str
    acquisition: Acquisition
    header: dict[str, Any] = field(default_factory=dict)
    free: dict[str, Any] = field(default_factory=dict)
    now: Classification = field(default_factory=Classification)
    history: list[Classification] = field(default_factory=list)
    scores: list[tuple[int, float]] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    random_value: int = 0

    @property
    def visible(self) -> Picture | None:
        """The image that is shown: the one of lowest rank, never a hidden original."""
        shown = [picture for picture in self.pictures if picture.rank < 100]
        return min(shown, key=lambda picture: picture.rank, default=None)

    def become(self, new: Classification, scores: list[tuple[int, float]] | None = None) -> None:
        """Take a new state; the one before goes to the history."""
        if self.now.qual is not None:
            self.history.insert(0, self.now)
        self.now = new
        self.scores = scores or []


@dataclass
class Job:
    """Work of the server, done when it is made; `looks` is how often it still says that it runs."""

    id: int
    owner: int
    type: str
    params: dict[str, Any]
    state: str = "F"
    result: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    question: dict[str, Any] = field(default_factory=dict)
    reply: dict[str, Any] = field(default_factory=dict)
    inside: dict[str, Any] = field(default_factory=dict)
    progress_pct: int | None = 100
    progress_msg: str | None = "Done"
    created: datetime = START
    updated: datetime = START
    log: str = ""
    file: bytes = b""
    looks: int = 0
