"""The process of a detached run."""

from __future__ import annotations

import sys

from bedplate.launch.detached import main

sys.exit(main())
