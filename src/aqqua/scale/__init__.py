"""One function over many independent shards: here, in a process pool, on SLURM, or on Ray."""

from aqqua.scale.shards import map_shards

__all__ = ["map_shards"]
