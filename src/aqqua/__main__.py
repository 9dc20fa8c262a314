"""`python -m aqqua` and the `aqqua` command."""

from __future__ import annotations

import sys

from aqqua.errors import AqquaError, PausedError

__all__ = ["main"]

BAD_INPUT = 2
PAUSED = 75
"""The EX_TEMPFAIL of sysexits.h: come again. A batch script may requeue its job on it."""
INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> None:
    """Run the command line, and turn errors of aqqua into a few readable lines.

    Exit status: 0 done, 1 a check found errors, 2 bad input or a stopped job, 75 a job that was asked to
    stop and has saved its state, 130 interrupted.
    """
    from aqqua.cli import app

    try:
        app(sys.argv[1:] if arguments is None else arguments)
    except PausedError as error:
        from aqqua.progress import say

        say(_escaped(error))
        sys.exit(PAUSED)
    except AqquaError as error:
        from aqqua.progress import console

        console.print(f"[bold red]Error:[/] {_escaped(error)}")
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _escaped(error: AqquaError) -> str:
    from rich.markup import escape

    return escape(str(error))


if __name__ == "__main__":
    main()
