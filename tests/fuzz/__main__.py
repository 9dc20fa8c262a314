"""Attack readers for some minutes: `python -m tests.fuzz [MINUTES] [TARGET…]`, or `make fuzz MINUTES=10`.

Each target gets the same share of the time, in a process of its own, so that a crash of the interpreter is told with
the change that caused it. Exit status 1 if anything misbehaved.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.fuzz.attack import Misbehaviour
from tests.fuzz.mutate import KINDS, Change
from tests.fuzz.targets import TARGETS
from tests.fuzz.test_readers import run


def main(arguments: list[str]) -> int:
    """Attack, print a line per target."""
    os.environ["AQQUA_QUIET"] = "1"
    minutes = float(arguments[0]) if arguments else 5.0
    names = arguments[1:] or list(TARGETS)
    bad = 0
    for name in names:
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            _attack_for(name, 60 * minutes / len(names), writer)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            told = pipe.read()
        _, status = os.waitpid(child, 0)
        lines = told.strip().splitlines()
        crashed = os.WIFSIGNALED(status) or os.WEXITSTATUS(status) != 0
        bad += crashed or any(line.startswith("BAD") for line in lines)
        if crashed:
            print(f"{name}: CRASHED (status {status}) at {lines[-1] if lines else 'the beginning'}")
        for line in lines:
            if not line.startswith("try"):
                print(f"{name}: {line}", flush=True)
    return int(bool(bad))


def _attack_for(name: str, seconds: float, pipe: int) -> None:
    chance, outcomes, bad = random.Random(name), Counter[str](), dict[str, str]()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        todo = [
            Change(chance.choice(KINDS), chance.random(), chance.randrange(1 << 16), chance.random())
            for _ in range(chance.choice((1, 1, 2, 4, 8)))
        ]
        os.write(pipe, f"try {todo}\n".encode())
        with tempfile.TemporaryDirectory() as folder:
            try:
                outcomes[run(TARGETS[name], Path(folder), todo)] += 1
            except Misbehaviour as error:
                bad.setdefault(str(error)[:120], f"BAD {error} after {todo}".replace("\n", " "))
    told = ", ".join(f"{outcome} {count:,}" for outcome, count in outcomes.most_common())
    for line in bad.values():
        os.write(pipe, f"{line}\n".encode())
    os.write(pipe, f"{outcomes.total():,} attacks: {told}; {len(bad)} kinds of misbehaviour\n".encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
