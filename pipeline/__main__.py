"""`python -m thalweg` is the `thalweg` command, with the code of the folder that it runs in."""

import sys

from thalweg.cli import main

sys.exit(main())
