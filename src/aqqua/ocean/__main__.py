"""`python -m aqqua.ocean SHEET.png [SEED]`: a contact sheet of the virtual ocean."""

from __future__ import annotations

import sys

from aqqua.ocean.sheet import contact_sheet

if __name__ == "__main__":
    print(contact_sheet(sys.argv[1], seed=int(sys.argv[2]) if len(sys.argv) > 2 else 0))
