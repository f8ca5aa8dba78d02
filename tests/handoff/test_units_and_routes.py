"""Units of the seed: names people use, successors, and where a ticket goes. No database."""

from datetime import date

import pytest

from bot.contracts.ids import SubjectId, UnitCode
from handoff.match import plan_match
from handoff.routing import Route, RoutingHint, plan_route
from handoff.seed import SEED_FILE, parse_seed
from handoff.unit import Unit, UnitKind, UnitNotFound, plan_family, plan_successor
from nlu_data.vi_nlu.text import strip_diacritics

SEED = parse_seed(SEED_FILE.read_text(encoding="utf-8"))
UNITS = {unit.code: unit for unit in SEED.units}
SUBJECTS = {subject.id: subject for subject in SEED.subjects}
BEFORE, TODAY = date(2021, 10, 22), date(2026, 11, 24)
LABOUR, HOME_AFFAIRS, HEALTH = UnitCode("SLDTBXH"), UnitCode("SNV"), UnitCode("SYT")


def test_the_seed_holds_the_plans_units_and_places() -> None:
    named = {"VPUBND", "SYT", "CDC", "SLDTBXH", "MTTQ", "SGTVT", "SCT", "CA", "STTTT", "VNPT"}
    assert named <= set(UNITS)
    kinds = [unit.kind for unit in SEED.units]
    assert kinds.count(UnitKind.FORMER_DISTRICT) == 27
    assert kinds.count(UnitKind.COMMUNE) == 166
    assert UNITS[UnitCode("380")].name == "Ủy ban nhân dân thành phố Thanh Hóa"
    assert UNITS[UnitCode("14797")].short_name == "UBND phường Hạc Thành"
    assert [subject.id for subject in SEED.subjects] == list(range(1, 11))


def test_everything_the_seed_points_to_is_in_force_today() -> None:
    for code in UNITS:
        assert plan_successor(UNITS, code, TODAY).is_in_force(TODAY)
    for subject in SEED.subjects:
        assert (subject.lead_unit is None) == subject.local
        for code in (*subject.coordinating_units, *filter(None, [subject.lead_unit])):
            assert plan_successor(UNITS, code, BEFORE).code == code


@pytest.mark.parametrize(
    ("code", "on", "heir"),
    [
        ("SLDTBXH", BEFORE, "SLDTBXH"),
        ("SLDTBXH", date(2025, 2, 28), "SLDTBXH"),
        ("SLDTBXH", date(2025, 3, 1), "SNV"),
        ("SGTVT", TODAY, "SXD"),
        ("STTTT", TODAY, "SKHCN"),
        ("SYT", TODAY, "SYT"),
        ("380", date(2025, 6, 30), "380"),
        ("380", date(2025, 7, 1), "VPUBND"),
        ("405", date(2025, 3, 1), "380"),
        ("405", TODAY, "VPUBND"),
    ],
)
def test_successors(code: str, on: date, heir: str) -> None:
    assert plan_successor(UNITS, UnitCode(code), on).code == heir


def test_a_family_is_all_whose_work_came_to_the_unit() -> None:
    assert plan_family(UNITS, HOME_AFFAIRS, TODAY) == plan_family(UNITS, LABOUR, TODAY) == {HOME_AFFAIRS, LABOUR}
    assert plan_family(UNITS, LABOUR, BEFORE) == {LABOUR}


def test_unknown_units_and_rings_are_not_found() -> None:
    with pytest.raises(UnitNotFound, match="XX"):
        plan_successor(UNITS, UnitCode("XX"), TODAY)
    ring = {UnitCode(one): _ended(one, other) for one, other in (("A", "B"), ("B", "A"))}
    with pytest.raises(UnitNotFound):
        plan_successor(ring, UnitCode("A"), TODAY)
    assert plan_family({**UNITS, **ring}, HEALTH, TODAY) == {HEALTH}


def _ended(code: str, successor: str) -> Unit:
    return Unit(
        UnitCode(code), code, code, UnitKind.OFFICE, None, None, date(2000, 1, 1), date(2001, 1, 1), UnitCode(successor)
    )


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("số điện thoại sở y tế", "SYT"),
        ("cho em xin sdt so y te voi a", "SYT"),
        ("Sở Y Tế Thanh Hoá", "SYT"),
        ("SYT", "SYT"),
        ("sđt của CDC?", "CDC"),
        ("sdt cdc thanh hoa", "CDC"),
        ("Sở Lao động - Thương binh và Xã hội", "SLDTBXH"),
        ("sở ldtbxh", "SLDTBXH"),
        ("lien he so giao thong", "SGTVT"),
        ("mặt trận tổ quốc tỉnh", "MTTQ"),
        ("gọi công an ở đâu", "CA"),
        ("quản lý thị trường", "QLTT"),
        ("sở thông tin và truyền thông", "STTTT"),
        ("ubnd tinh thanh hoa", "VPUBND"),
        ("phường Hạc Thành", "14797"),
        ("hac thanh", "14797"),
        ("UBND xã Hà Trung", "15271"),
        ("hà trung", "15271"),
        ("huyện Hà Trung", "392"),
        ("thành phố Thanh Hóa", "380"),
        ("thi xa bim son", "381"),
        ("phường bỉm sơn", "14812"),
        ("huyện Tĩnh Gia cũ", "407"),
        ("14797", "14797"),
        ("sở cong thuonng", "SCT"),  # a typo
        ("sở khoa hoc va cong nge", "SKHCN"),
    ],
)
def test_what_people_call_a_unit(written: str, code: str) -> None:
    assert plan_match(SEED.units, written) == code


@pytest.mark.parametrize(
    "written",
    [
        "",
        "xin chào",
        "tôi muốn hỏi thủ tục khai sinh",
        "có bao nhiêu ca bệnh hôm nay",
        "cơ quan nào giải quyết",
        "0912345678",
    ],
)
def test_where_no_unit_is_named_none_is_found(written: str) -> None:
    assert plan_match(SEED.units, written) is None


def test_every_unit_is_found_by_its_full_name_with_and_without_diacritics() -> None:
    for unit in SEED.units:
        assert plan_match(SEED.units, unit.name) == unit.code
        plain = plan_match(SEED.units, strip_diacritics(unit.name).lower())
        assert plain in {unit.code, None}  # None where two names differ in their diacritics only


def route(*hints: tuple[int | None, str | None, float], subject: int | None = None, place: str | None = None) -> Route:
    return plan_route(
        [RoutingHint(SubjectId(s) if s else None, UnitCode(u) if u else None, c) for s, u, c in hints],
        SUBJECTS,
        UNITS,
        TODAY,
        subject=SubjectId(subject) if subject else None,
        place=UnitCode(place) if place else None,
    )


def test_the_subject_with_the_most_behind_it_wins_and_its_lead_unit_of_today_gets_it() -> None:
    found = route((4, "SYT", 0.5), (5, "SLDTBXH", 0.4), (5, "SLDTBXH", 0.3))
    assert (found.subject, found.unit) == (5, "SNV")
    assert found.coordinating_units == ("SKHCN", "VNPT")


def test_candidates_that_are_nowhere_near_say_nothing() -> None:
    assert route((4, "SYT", 0.05), (5, "SLDTBXH", 0.19)) == plan_route([], SUBJECTS, UNITS, TODAY)
    assert route().unit is None


def test_a_known_subject_beats_the_candidates() -> None:
    assert route((4, "SYT", 0.9), subject=7).unit == "SXD"


def test_a_local_matter_goes_to_the_place_or_to_the_desk() -> None:
    assert route(subject=3, place="14797").unit == "14797"
    assert route(subject=3, place="SYT").unit is None
    assert route(subject=3).unit is None
    assert route(subject=3, place="380").unit is None  # the district ended: the desk must ask for the commune


def test_without_a_subject_the_unit_of_the_nearest_entry_gets_it() -> None:
    found = route((None, "CDC", 0.4), (None, "SYT", 0.6))
    assert (found.subject, found.unit, found.coordinating_units) == (None, "SYT", ())
