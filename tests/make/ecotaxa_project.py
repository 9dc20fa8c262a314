"""A project on the EcoTaxa double, with complete metadata: two samples of a ZooScan, every image of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ecotaxa_double import World
from tests.ecotaxa_double.tables import Obj, Person, Project
from tests.make.images import random_image

__all__ = ["fill", "pixels_of"]

CALANOIDA, CYCLOPOIDA, ONCAEIDAE, DETRITUS = 45074, 45072, 78418, 84963
STATES = [(None, None), (CALANOIDA, "P"), (DETRITUS, "V"), (ONCAEIDAE, "D")]
"""Taxon and state of the objects, again and again."""


States = list[tuple[int | None, str | None]]


def fill(world: World, owner: Person, *, objects: int = 8, states: States | None = None, **more: Any) -> Project:
    """Make a project with objects.

    Args:
        world: of the double.
        owner: its manager.
        objects: how many.
        states: taxon and state of the objects, in turn.
        more: of the project.
    """
    project = world.add_project("Net samples of the bay", owner, **more)
    places = []
    for name in ("s1", "s2"):
        sample = world.add_sample(project, name, tot_vol="12.5", **{"id": "not the sample's id"})
        pixel = {"particle_pixel_size_mm": "0.0106"}
        places.append(world.add_acquisition(project, sample, f"{name}_acq", pixel, sub_part="4"))
    turn = STATES if states is None else states
    for number in range(objects):
        taxon, qual = turn[number % len(turn)]
        free = {"area": 100.5 + number, "perim.": 3.0, "%area": None}
        add(
            world,
            project,
            places[number * 2 // objects],
            f"obj_{number}",
            taxon=taxon,
            qual=qual,
            who=owner.id,
            free=free,
        )
    return project


def add(world: World, project: Project, place: Any, name: str, **more: Any) -> Obj:
    """Make one object with an image of its own."""
    made = world.add_object(project, place, name, more.pop("pixels", None) or pixels_of(name), **more)
    if made.now.qual == "P":
        made.now.who = None
    return made


def pixels_of(name: str) -> np.ndarray:
    """The image of an object, by its name."""
    return random_image(np.random.default_rng(list(name.encode())))
