"""The published benchmark protocol: what is measured, and beside what."""

from aqqua.bench.protocol import bench
from aqqua.bench.report import BenchReport
from aqqua.callable import make_callable

__all__ = ["BenchReport", "bench"]

make_callable(__name__, "aqqua.bench.protocol:bench")
