"""Install dragonfly: `pip install .`, `python setup.py install` or `python setup.py develop`.

The lists below repeat the three requirements.txt (here, in docs and in tests); a test holds them equal.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

REQUIRES = ["pika>=1.3.2", "PyYAML>=6.0.1", "argcomplete>=3.0", "simpleeval>=1.0"]

EXTRAS = {
    "slack": ["slack_sdk>=3.20"],
    "color": ["colorlog>=6.7"],
    "docs": ["sphinx>=7.2", "furo>=2024.1.29", "sphinx-copybutton>=0.5.2"],
    "test": [
        "pytest>=8.2",
        "pytest-cov>=5.0",
        "pytest-xdist>=3.7",
        "hypothesis>=6.100",
        "coverage>=7.4",
        "ruff>=0.17,<0.18",
        "mypy>=2.4,<2.5",
        "types-PyYAML>=6.0.12",
        "setuptools>=64",
        "slack_sdk>=3.20",
        "colorlog>=6.7",
    ],
}

HERE = Path(__file__).resolve().parent


def read_version() -> str:
    """Return `__version__` of the package, read as text: importing it would need its libraries."""
    text = (HERE / "dragonfly" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__(?:: \w+)? = "([^"]+)"', text, re.MULTILINE)
    if found is None:
        raise RuntimeError('dragonfly/__init__.py has no line __version__ = "..."')
    return found.group(1)


setup(
    name="dragonfly",
    zip_safe=False,  # from a zipped egg, every start would compile everything
    version=read_version(),
    description="Slow control of laboratories: services, instruments and values on a RabbitMQ mesh",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(str(HERE), include=["dragonfly", "dragonfly.*"]),
    install_requires=REQUIRES,
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": [
            "dragonfly = dragonfly.__main__:entry",
            "open_spimescape_portal = dragonfly.old_programs:portal_entry",
            "dripline_agent = dragonfly.old_programs:agent_entry",
        ],
        "pytest11": ["dragonfly = dragonfly.testing.plugin"],
    },
)
