"""python -m dragonfly.broker."""

import sys

from dragonfly.broker.command import main

if __name__ == "__main__":
    sys.exit(main())
