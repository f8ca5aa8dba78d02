"""Licences of all that is installed: `python -m deploy.licences .venv .venv-rasa`. Exit 1 if one doesn't fit ours.

We ship no copies of these packages, we install them; still nothing may be there whose terms reach into our code (GPL,
AGPL, SSPL, non-commercial) or that has no licence at all. Metadata in the field is poor, so EXCEPTIONS says what was
read by eye.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

FITS: Final = re.compile(
    r"mit\b|mit-|apache|bsd|isc|psf|python software|zlib|unlicense|public domain|cc0|0bsd|mpl|mozilla|hpnd|lgpl|lesser"
    r"|boost|zope|zpl|historical permission|blueoak|cnri|mulan|wtfpl|ofl|nvidia proprietary",
    re.IGNORECASE,
)
REFUSED: Final = re.compile(r"(?<!lesser )\b(a?gpl|affero|sspl|non-?commercial|commons clause|busl)", re.IGNORECASE)
EXCEPTIONS: Final = {
    # package: (what its own files say, why it may be here)
    "docutils": ("public domain, BSD; one GPL file", "the GPL file is an Emacs mode that is not imported"),
    "scipy": ("BSD-3-Clause", "bundles libgfortran, GPL with the runtime exception"),
    "vietnam-provinces": ("not stated", "development extra: only the generator of place lists reads it"),
}


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package and what it says of its licence."""

    name: str
    version: str
    licence: str
    verdict: str
    """"fits", "by eye" or "refused"."""


def installed(python: Path) -> list[Package]:
    """Every package of that environment, judged."""
    tool = Path(sys.executable).with_name("pip-licenses")
    output = subprocess.run(
        [str(tool), "--python", str(python), "--format", "json", "--from", "all"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [_judged(one) for one in json.loads(output)]


def _judged(one: dict[str, str]) -> Package:
    said = "; ".join(value for key, value in one.items() if key.startswith("License") and value and value != "UNKNOWN")
    name = one["Name"].lower().replace("_", "-")
    if name in EXCEPTIONS:
        return Package(name, one["Version"], EXCEPTIONS[name][0], "by eye")
    fits = bool(FITS.search(said)) and not REFUSED.search(said)
    return Package(name, one["Version"], said[:80] or "none stated", "fits" if fits else "refused")


def main(environments: list[str]) -> int:
    """Print the table of licences, and each package that does not fit."""
    console = Console()
    refused: list[tuple[str, Package]] = []
    table = Table("environment", "packages", "fit", "by eye", "refused")
    for name in environments:
        packages = installed(Path(name) / "bin" / "python")
        counts = Counter(one.verdict for one in packages)
        table.add_row(name, str(len(packages)), *(str(counts[one]) for one in ("fits", "by eye", "refused")))
        refused += [(name, one) for one in packages if one.verdict == "refused"]
    console.print(table)
    for name, one in refused:
        console.print(f"{name}: {one.name} {one.version}: {one.licence}", style="red", highlight=False)
    return 1 if refused else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or [".venv"]))
