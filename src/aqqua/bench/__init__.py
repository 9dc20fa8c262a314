"""The published benchmark protocol: what is measured, and beside what."""

from aqqua.bench.isiis import BenchReport, bench
from aqqua.callable import make_callable

__all__ = ["BenchReport", "bench"]

make_callable(__name__, "aqqua.bench.isiis:bench")
