"""Writes the look-up list of places (nlu_data/nlu/places.yml) of one province.

Communes since July 2025 come from the installed package vietnam-provinces; former districts and communes from the
`nested-divisions.json` of a release before that (0.6.0), whose path is given:

    python -m nlu_data.build_places --province 38 --before PATH/nested-divisions.json
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

from nlu_data.vi_nlu.text import fold

KINDS = "tỉnh|thành phố|thị xã|huyện|quận|phường|thị trấn|xã"
_KIND = re.compile(rf"^(?P<kind>{KINDS})\s+(?P<name>.+)$", re.IGNORECASE)
OUT = Path(__file__).parent / "nlu" / "places.yml"

SHORT = {"thành phố": ("tp", "tp.", "thành phố"), "thị xã": ("tx", "thị xã"), "thị trấn": ("tt", "thị trấn")}


def main() -> None:
    """Read both lists, write the look-up table, say how many names it has."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--province", type=int, required=True, help="code of the province, e.g. 38")
    arguments.add_argument("--before", type=Path, required=True, help="nested-divisions.json from before July 2025")
    chosen = arguments.parse_args()

    from vietnam_provinces import NESTED_DIVISIONS_JSON_PATH  # only the generator needs the package

    now = _province(json.loads(Path(NESTED_DIVISIONS_JSON_PATH).read_text(encoding="utf-8")), chosen.province)
    before = _province(json.loads(chosen.before.read_text(encoding="utf-8")), chosen.province)
    units = [str(one["name"]) for one in now["wards"]]
    for district in before["districts"]:
        units.append(str(district["name"]))
        units += [str(one["name"]) for one in district["wards"]]
    names = sorted({form for unit in [str(now["name"]), *units] for form in forms_of(unit)})
    lines = ['version: "3.1"', "", "nlu:", "  - lookup: place", "    examples: |", *(f"      - {one}" for one in names)]
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(units)} units, {len(names)} spellings -> {OUT}")


def _province(provinces: list[dict[str, Any]], code: int) -> dict[str, Any]:
    return next(one for one in provinces if one["code"] == code)


def forms_of(unit: str) -> set[str]:
    """Spellings of one unit: "Thành phố Sầm Sơn" → with and without its kind, and without diacritics.

    A bare name without diacritics is left out for communes: "dong tien" (Đông Tiến) is also "đóng tiền". One of a
    single syllable or a number ("Phường 1") is no name without its kind.
    """
    found = _KIND.match(unit)
    if not found:
        return {unit.lower(), fold(unit)}
    kind, name = found["kind"].lower(), found["name"].lower()
    forms = {f"{one} {name}" for one in SHORT.get(kind, (kind,))}
    forms |= {fold(one) for one in forms}
    if len(name.split()) > 1:
        forms.add(name)
        if kind in ("thành phố", "thị xã", "huyện"):
            forms.add(fold(name))
    return forms


if __name__ == "__main__":
    main()
