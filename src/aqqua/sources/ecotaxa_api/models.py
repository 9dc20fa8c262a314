"""What EcoTaxa answers, as typed objects that keep whatever else a newer server says.

Ids are 64-bit: objects of project 12 are 1200000001, 1200000002 … . Times are naive and UTC. For changing
a project use its raw JSON (`EcotaxaClient.project_json`), never these.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Acquisition",
    "EcoObject",
    "HistoryEntry",
    "Image",
    "Job",
    "Member",
    "Page",
    "Process",
    "Project",
    "Right",
    "Sample",
    "Summary",
    "Taxon",
    "User",
]

Access = Literal["0", "1", "2"]
ACCESS_NAMES = {"0": "private", "1": "public", "2": "open"}
"""Private: members only. Public: any logged-in user may look. Open: any logged-in user may export."""


class Right(StrEnum):
    """What a member of a project may do; each includes the ones before."""

    VIEW = "view"
    ANNOTATE = "annotate"
    MANAGE = "manage"

    @property
    def rank(self) -> int:
        """0 for view, 2 for manage."""
        return list(Right).index(self)

    @property
    def key(self) -> str:
        """Name of the list in a project's JSON."""
        return {"view": "viewers", "annotate": "annotators", "manage": "managers"}[self.value]


class Answer(BaseModel):
    """Any answer: fields we do not know are kept."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)


class Member(Answer):
    """A person as a project names them."""

    id: int
    name: str = ""
    email: str = ""
    organisation: str | None = None


class User(Member):
    """The user who is logged in."""

    status: int | None = None
    can_do: list[int] = []


class Project(Answer):
    """A project; `highest_right` is only filled where one project was asked for."""

    projid: int
    title: str = ""
    access: str = "0"
    status: str | None = None
    instrument: str | None = None
    objcount: float | None = None
    pctvalidated: float | None = None
    pctclassified: float | None = None
    managers: list[Member] = []
    annotators: list[Member] = []
    viewers: list[Member] = []
    contact: Member | None = None
    highest_right: str = ""
    comments: str | None = None
    formulae: str | None = None
    bodc_variables: dict[str, str | None] = {}
    obj_free_cols: dict[str, str] = {}
    sample_free_cols: dict[str, str] = {}
    acquisition_free_cols: dict[str, str] = {}
    process_free_cols: dict[str, str] = {}

    @property
    def access_name(self) -> str:
        """private, public or open."""
        return ACCESS_NAMES.get(self.access, self.access)

    def members(self, right: Right) -> list[Member]:
        """Who has exactly this right."""
        found: list[Member] = getattr(self, right.key)
        return found

    def right_of(self, user_id: int) -> Right | None:
        """The highest right of a user, None if they have none."""
        for right in reversed(Right):
            if any(member.id == user_id for member in self.members(right)):
                return right
        return None


class Sample(Answer):
    """A sample; `free_columns` are empty in lists, ask for the sample itself."""

    sampleid: int
    projid: int
    orig_id: str
    latitude: float | None = None
    longitude: float | None = None
    free_columns: dict[str, Any] = {}


class Acquisition(Answer):
    """An acquisition; `free_columns` are empty in lists."""

    acquisid: int
    acq_sample_id: int
    orig_id: str
    instrument: str | None = None
    free_columns: dict[str, Any] = {}


class Process(Answer):
    """The processing of an acquisition; its id is that of the acquisition."""

    processid: int
    orig_id: str
    free_columns: dict[str, Any] = {}


class Image(Answer):
    """An image of an object; rank 100 and above are hidden originals (UVP6)."""

    imgid: int
    objid: int
    imgrank: int
    width: int | None = None
    height: int | None = None
    orig_file_name: str = ""
    file_name: str = ""


class EcoObject(Answer):
    """An object with all its images."""

    objid: int
    acquisid: int
    sample_id: int
    project_id: int
    orig_id: str
    classif_id: int | None = None
    classif_qual: str | None = None
    classif_score: float | None = None
    images: list[Image] = []
    free_columns: dict[str, Any] = {}


class HistoryEntry(Answer):
    """A former classification of an object."""

    objid: int
    classif_id: int | None = None
    classif_date: datetime | None = None
    classif_who: int | None = None
    classif_type: str | None = None
    classif_qual: str | None = None
    classif_score: float | None = None


class Page(Answer):
    """One window of the objects of a project; a row of `details` is as long as the fields the server knows."""

    object_ids: list[int]
    acquisition_ids: list[int | None]
    sample_ids: list[int | None]
    project_ids: list[int | None]
    details: list[list[Any]]
    total_ids: int


class Summary(Answer):
    """How many objects there are; None where they were not counted."""

    total_objects: int
    validated_objects: int | None = None
    dubious_objects: int | None = None
    predicted_objects: int | None = None


class Taxon(Answer):
    """A taxon of EcoTaxa's tree; `renm_id` is the one to use instead."""

    id: int
    name: str
    display_name: str = ""
    type: str | None = None
    status: str | None = None
    lineage: list[str] = []
    id_lineage: list[int] = []
    renm_id: int | None = None
    aphia_id: int | None = None
    rank: str | None = None


class Job(Answer):
    """Work of the server: P pending, R running, A asking, E failed, F finished."""

    id: int
    type: str = ""
    state: str
    progress_pct: float | None = None
    progress_msg: str | None = None
    errors: list[str] = []
    question: dict[str, Any] = {}
    result: dict[str, Any] = {}
    inside: dict[str, Any] = {}
    params: dict[str, Any] = Field(default={})

    @property
    def over(self) -> bool:
        """Whether nothing more will happen by itself (finished, failed or asking)."""
        return self.state in {"A", "E", "F"}
