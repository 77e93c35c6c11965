"""The parts of `tests/soak.py`: a mesh under load, faults at random, and what must hold all the time."""
