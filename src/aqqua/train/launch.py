"""Which process this is, out of those that torchrun or srun started: told by the environment.

torchrun sets RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT; srun sets SLURM_PROCID, SLURM_STEP_NUM_TASKS,
SLURM_LOCALID and SLURM_STEP_NODELIST. MASTER_ADDR and MASTER_PORT, where set, also decide where processes of srun meet.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from aqqua.errors import ConfigError

__all__ = ["Place", "find_place", "first_host"]

_TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_FIRST_PORT, _PORTS = 20_000, 12_000
"""Below the ports that Linux hands out by itself."""


@dataclass(frozen=True)
class Place:
    """One process among several.

    Args:
        rank: its number.
        size: how many there are.
        local_rank: its number on its machine.
        address: where they meet: a machine …
        port: … and its port.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    address: str = "127.0.0.1"
    port: int = _FIRST_PORT


def find_place(environment: Mapping[str, str] = os.environ) -> Place:
    """Find out which process this is; a single one where no launcher is at work.

    A batch script of SLURM is itself no process of a group: only what `srun` starts in it is.

    Raises:
        ConfigError: the environment contradicts itself.
    """
    if all(environment.get(name) for name in _TORCHRUN):
        place = Place(
            _number(environment, "RANK"),
            _number(environment, "WORLD_SIZE"),
            _number(environment, "LOCAL_RANK", 0),
            environment["MASTER_ADDR"],
            _number(environment, "MASTER_PORT"),
        )
    elif _number(environment, "SLURM_STEP_NUM_TASKS", 1) > 1:
        job, step = _number(environment, "SLURM_JOB_ID", 0), _number(environment, "SLURM_STEP_ID", 0)
        place = Place(
            _number(environment, "SLURM_PROCID"),
            _number(environment, "SLURM_STEP_NUM_TASKS"),
            _number(environment, "SLURM_LOCALID", 0),
            environment.get("MASTER_ADDR") or first_host(environment.get("SLURM_STEP_NODELIST", "")),
            _number(environment, "MASTER_PORT", _FIRST_PORT + (31 * job + step) % _PORTS),
        )
    else:
        return Place()
    if not 0 <= place.rank < place.size:
        raise ConfigError(
            f"process {place.rank} of {place.size}", where="environment", do="start it with torchrun or srun"
        )
    return place


def first_host(nodes: str) -> str:
    """Return the first machine of a list as SLURM writes it.

    >>> first_host("jpbo-[001-003,007],jpbo-101")
    'jpbo-001'
    """
    found = re.match(r"(?:[^,\[\]]|\[[^\]]*\])+", nodes)
    if not found:
        raise ConfigError(f"SLURM names no machine: {nodes!r}", where="SLURM_STEP_NODELIST", do="set MASTER_ADDR")
    return re.sub(r"\[([^\],-]+)[^\]]*\]", r"\1", found[0])


def _number(environment: Mapping[str, str], name: str, default: int | None = None) -> int:
    text = environment.get(name, "" if default is None else str(default))
    if not text.isdecimal():
        raise ConfigError(f"{name} is {text!r}, not a number", where="environment", do="start it with torchrun or srun")
    return int(text)
