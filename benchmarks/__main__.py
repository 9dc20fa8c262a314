"""`make bench`: run the benchmarks named, or all (`python -m benchmarks storage isiis`)."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks


def main(names: list[str]) -> None:
    """Run each named benchmark module's `main()`; without names, all of them."""
    known = sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_"))
    unknown = sorted(set(names) - set(known))
    if unknown:
        sys.exit(f"no benchmark is called {', '.join(unknown)}; there is: {', '.join(known)}")
    for name in names or known:
        print(f"## {name}\n", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
