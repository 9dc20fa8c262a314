from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.errors import ConfigError
from aqqua.train.launch import Place, find_place, first_host

TORCHRUN = {"RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "MASTER_ADDR": "node7", "MASTER_PORT": "29500"}
SRUN = {
    "SLURM_JOB_ID": "1234567",
    "SLURM_STEP_ID": "2",
    "SLURM_STEP_NUM_TASKS": "8",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
    "SLURM_STEP_NODELIST": "jpbo-[017-018,021]",
}


def test_nobody_started_us() -> None:
    assert find_place({}) == Place(0, 1, 0)


def test_torchrun_started_us() -> None:
    assert find_place(TORCHRUN) == Place(3, 8, 1, "node7", 29500)


def test_srun_started_us() -> None:
    place = find_place(SRUN)
    assert (place.rank, place.size, place.local_rank, place.address) == (5, 8, 1, "jpbo-017")
    assert 20_000 <= place.port < 32_000
    assert find_place(SRUN | {"SLURM_PROCID": "0", "SLURM_LOCALID": "0"}).port == place.port
    assert find_place(SRUN | {"SLURM_STEP_ID": "3"}).port != place.port


def test_torchrun_within_srun_counts() -> None:
    assert find_place(SRUN | TORCHRUN).rank == 3


def test_where_to_meet_may_be_given() -> None:
    place = find_place(SRUN | {"MASTER_ADDR": "jpbo-017i", "MASTER_PORT": "6000"})
    assert (place.address, place.port) == ("jpbo-017i", 6000)


def test_a_batch_script_is_no_process_of_a_group() -> None:
    assert find_place({"SLURM_JOB_ID": "9", "SLURM_NTASKS": "8", "SLURM_PROCID": "0"}).size == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (TORCHRUN | {"RANK": "8"}, "process 8 of 8"),
        (TORCHRUN | {"WORLD_SIZE": "many"}, "WORLD_SIZE is 'many'"),
        (TORCHRUN | {"MASTER_PORT": "-1"}, "MASTER_PORT is '-1'"),
        (SRUN | {"SLURM_STEP_NODELIST": ""}, "SLURM names no machine"),
        ({name: value for name, value in SRUN.items() if name != "SLURM_PROCID"}, "SLURM_PROCID is ''"),
    ],
)
def test_what_contradicts_itself_is_told(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        find_place(wrong)


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("vm", "vm"),
        ("a,b", "a"),
        ("n[3-7]", "n3"),
        ("n[003,007-009]-ib,m1", "n003-ib"),
        ("rack[1-2]node[05,07]", "rack1node05"),
        ("10.0.0.[1-4]", "10.0.0.1"),
    ],
)
def test_the_first_machine_of_a_list(nodes: str, first: str) -> None:
    assert first_host(nodes) == first


@given(st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True), st.lists(st.integers(0, 999), min_size=1, max_size=5))
def test_the_first_of_any_list(name: str, numbers: list[int]) -> None:
    listed = ",".join(f"{number:03}" for number in numbers)
    assert first_host(f"{name}[{listed}],other[1-9]") == f"{name}{numbers[0]:03}"
