"""`python -m dragonfly` is `dragonfly`."""

from dragonfly.cli import entry

if __name__ == "__main__":
    entry()
