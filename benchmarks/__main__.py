"""`make bench`: run the benchmarks named, or all (`python -m benchmarks storage isiis`); options are theirs."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks


def main(words: list[str]) -> None:
    """Run each named benchmark module's `main()`; without names, all of them. What begins with "-" is for them."""
    first = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
    names, sys.argv[1:] = words[:first], words[first:]
    known = sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_"))
    unknown = sorted(set(names) - set(known))
    if unknown:
        sys.exit(f"no benchmark is called {', '.join(unknown)}; there is: {', '.join(known)}")
    for name in names or known:
        print(f"## {name}\n", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
