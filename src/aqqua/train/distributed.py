"""One model trained by several processes: who they are, what each computes, and what they agree on.

The batch of a step is cut into parts (`TrainConfig.parts`), each with a loss of its own. A process computes some of
them, one after the other; the gradients of all parts of all processes are averaged. So the same parts give the same
step, whether one process computes them all or each is computed by another: only the order of the sums differs.

Weights lie whole on every process (DDP), or in shards that are put together for the time of a part (FSDP2). Nothing
else differs between one process and many: every process draws the same random numbers, goes through the same batches
and takes the same decisions. The first one alone writes and speaks.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from aqqua.errors import PausedError
from aqqua.progress import silence
from aqqua.train.launch import Place, find_place

if TYPE_CHECKING:
    from aqqua.train.data import Batch, Portion
    from aqqua.train.objective import Terms
    from aqqua.train.state import Run

__all__ = ["ALONE", "World", "backward", "bind", "choose_device", "clip", "joined", "put_together"]

_PATIENCE = timedelta(minutes=30)
"""How long a process waits for the others: reading a pool of images may take minutes."""


@dataclass(frozen=True)
class World:
    """The processes of a run, seen from one of them.

    Args:
        rank: number of this process.
        size: how many there are.
        device: where this one computes.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return self.rank == 0

    def parts(self, wanted: int) -> int:
        """Into how many parts a batch is cut: those wanted, or a few more, so that each process has as many."""
        return -(-wanted // self.size) * self.size

    def mine(self, parts: int) -> range:
        """Numbers of the parts of this process."""
        each = parts // self.size
        return range(self.rank * each, (self.rank + 1) * each)

    def agree(self, seconds: float, *, stop: bool, save: bool) -> tuple[float, bool, bool]:
        """Return seconds and saving as the first process has it; stopping if any process was asked to."""
        if self.size == 1:
            return seconds, stop, save
        mine = (seconds, float(stop), float(save)) if self.first else (0.0, float(stop), 0.0)
        told = torch.tensor(mine, dtype=torch.double)
        dist.all_reduce(told)
        return told[0].item(), told[1].item() > 0, told[2].item() > 0

    def total(self, values: Tensor) -> Tensor:
        """Sum of a small tensor over all processes."""
        if self.size > 1:
            values = values.cpu()
            dist.all_reduce(values)
        return values

    def spread(self, tensors: Iterable[Tensor]) -> None:
        """Give every process what the first one has in these tensors."""
        for tensor in tensors if self.size > 1 else ():
            dist.broadcast(tensor, src=0)

    def wait(self) -> None:
        """Go on when all processes have come here."""
        if self.size > 1:
            dist.all_reduce(torch.zeros(1))


ALONE = World()


@contextmanager
def joined(device: str, environment: Mapping[str, str] = os.environ) -> Iterator[World]:
    """Be one of the processes that torchrun or srun started, or a single one.

    Args:
        device: "auto", "cpu" or "cuda".
        environment: what the launcher set.
    """
    place = find_place(environment)
    chosen = choose_device(device, place.local_rank)
    if place.size == 1:
        yield World(device=chosen)
        return
    _join(place, chosen)
    if place.rank:
        silence()
    try:
        yield World(place.rank, place.size, chosen)
    except PausedError:  # all processes are here
        dist.destroy_process_group()
        raise
    dist.destroy_process_group()


def _join(place: Place, device: torch.device) -> None:
    cuda = device.type == "cuda"
    if cuda:
        torch.cuda.set_device(device)
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if cuda else "gloo",
        init_method=f"tcp://{place.address}:{place.port}",
        rank=place.rank,
        world_size=place.size,
        timeout=_PATIENCE,
        device_id=device if cuda else None,
    )


def choose_device(wanted: str, number: int = 0) -> torch.device:
    """The device that was asked for, or the best there is; of several GPUs the one with this number."""
    if wanted == "cuda" or (wanted == "auto" and torch.cuda.is_available()):
        return torch.device("cuda", number % max(1, torch.cuda.device_count()))
    return torch.device("cpu" if wanted == "auto" else wanted)


class Bound(nn.Module):
    """All that is trained as one module: what is computed within its call is what DDP and FSDP2 look after.

    A step has as many calls of the network as there are sizes of images, other ones on each process. Bound together,
    weights are gathered and gradients are exchanged once per part all the same.

    Args:
        trained: the modules.
    """

    def __init__(self, trained: Sequence[nn.Module]) -> None:
        super().__init__()
        self.trained = nn.ModuleList(trained)

    def forward(self, compute: Callable[[], Tensor]) -> Tensor:
        """Compute a loss with the modules."""
        return compute()


def bind(trained: Sequence[nn.Module], world: World, shard: bool) -> nn.Module | None:
    """Let several processes train these modules together; None for one process.

    Args:
        trained: with the same weights on every process. With `shard`, their weights become shards here and now.
        world: the processes.
        shard: keep weights, gradients and the optimiser's state in shards (FSDP2) instead of copies (DDP).
    """
    if world.size == 1:
        return None
    if shard:
        mesh = init_device_mesh(world.device.type, (world.size,))
        bound = Bound(trained)
        fully_shard(bound, mesh=mesh)
        return bound
    with warnings.catch_warnings():  # torch 2.13 has a new word for what older ones call broadcast_buffers
        warnings.simplefilter("ignore", FutureWarning)
        # No buffer takes part in training: batch norms count for later, and the whitening comes at the end.
        return DistributedDataParallel(Bound(trained), broadcast_buffers=False)


def backward(run: Run, portion: Portion, compute: Callable[[Run, Batch], Terms], world: World, parts: int) -> Terms:
    """Find the gradient of a step: all parts, of all processes.

    Args:
        run: gets the gradients.
        portion: the parts of this process.
        compute: the loss of a part; it draws from the generator of the run it is given.
        world: the processes.
        parts: of the whole step.

    Returns:
        The loss and its parts, the mean over the whole step.
    """
    found: list[Terms] = []
    turns = _turns(run, parts, world.mine(parts))
    for number, (turn, batch, share) in enumerate(zip(turns, portion.parts, portion.shares, strict=True)):

        def loss(turn: Run = turn, batch: Batch = batch, share: float = share) -> Tensor:
            found.append(compute(turn, batch))
            return found[-1].loss if parts == 1 else found[-1].loss * (share * world.size)

        with _exchange(run.bound, number == len(portion.parts) - 1):
            whole: Tensor = loss() if run.bound is None else run.bound(loss)
            whole.backward()  # type: ignore[no-untyped-call]
    return found[0] if parts == 1 else _mean(found, portion.shares, world)


def _turns(run: Run, parts: int, mine: range) -> list[Run]:
    """The run for each part, with random numbers that belong to the part, whoever computes it."""
    if parts == 1:
        return [run]
    seeds = torch.randint(2**62, (parts,), generator=run.generator).tolist()
    return [replace(run, generator=torch.Generator().manual_seed(seeds[part])) for part in mine]


@contextmanager
def _exchange(bound: object, last: bool) -> Iterator[None]:
    """Exchange gradients behind the last part only."""
    if isinstance(bound, DistributedDataParallel) and not last:
        with bound.no_sync():
            yield
        return
    if isinstance(bound, FSDPModule):
        bound.set_requires_gradient_sync(last)
        bound.set_is_last_backward(last)
    yield


def _mean(found: Sequence[Terms], shares: Sequence[float], world: World) -> Terms:
    names, device = [one.name for one in fields(found[0])], found[0].loss.device
    rows = [[getattr(terms, name).detach().float().to(device) for name in names] for terms in found]
    values = torch.stack([torch.stack(row) for row in rows])
    mean = world.total((values * torch.tensor(shares, device=device)[:, None]).sum(dim=0))
    return replace(found[0], **dict(zip(names, mean, strict=True)))


def clip(weights: Iterable[Tensor], longest: float) -> Tensor:
    """Shorten the gradient to a largest norm; return the norm it had, the same on every process."""
    return whole(nn.utils.clip_grad_norm_(weights, longest))


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor whose shards may lie on several processes."""
    full: Tensor = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
    return full


def put_together(module: nn.Module, make: Callable[[], nn.Module]) -> Any:
    """The module with its weights in one piece, on every process.

    Args:
        module: may be in shards.
        make: another one of the same shape.
    """
    state = module.state_dict()
    if not any(isinstance(value, DTensor) for value in state.values()):
        return module
    made = make()
    made.load_state_dict({name: whole(value) for name, value in state.items()})
    return made
