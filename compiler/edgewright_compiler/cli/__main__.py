"""`python -m edgewright_compiler.cli`, for where scripts are not on the path."""

import sys

from edgewright_compiler.cli import main

sys.exit(main())
