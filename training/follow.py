"""What follows the first event of a horizon, from the yard's own chances into a bundle (docs/bundle.md, `follow`). No network is trained.

`uv run python follow.py --next FILE --within FILE --bundle ../bundles/yard`; README.md says how both files are written.
"""

import argparse
from pathlib import Path

from lookahead_training.follow import fit_bundle

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--next", type=Path, required=True)
    parser.add_argument("--within", type=Path, required=True)
    parser.add_argument("--bundle", type=Path, required=True)
    arguments = parser.parse_args()
    fit_bundle(arguments.bundle, arguments.next, arguments.within)
