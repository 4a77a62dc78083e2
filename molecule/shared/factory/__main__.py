"""Start the factory: `python molecule/shared/factory --folder DIR up --inventory inventories/lab`."""

from __future__ import annotations

import sys
from pathlib import Path

# A folder that is run as a program is not a package by itself.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from factory.arguments import main  # noqa: E402 (only findable now)

if __name__ == "__main__":
    sys.exit(main())
