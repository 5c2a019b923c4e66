"""`python -m minilearn` is the command `minilearn`."""

import sys

from .cli import main

sys.exit(main())
