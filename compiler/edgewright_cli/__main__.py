"""`python -m edgewright_cli`, for where scripts are not on the path."""

import sys

from edgewright_cli import main

sys.exit(main())
