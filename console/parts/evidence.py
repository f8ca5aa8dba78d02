"""Why the bot did what it did, in figures that a person can follow."""

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from bot.conversation.staff import Why
from console.parts.asking import standing_dialog
from console.wording import DECIDED_VI, ENTITIES_VI, INTENTS_VI, say_percent


def show_why(why: Why | None) -> None:
    """A dialog with the evidence of one decision."""
    with standing_dialog("why") as dialog:
        ui.label("Vì sao bot làm vậy?").classes("c-title")
        if why is None:
            ui.label("Tin nhắn này không qua bot, nên không có căn cứ nào được ghi lại.")
        else:
            ui.label(f"Quyết định: {DECIDED_VI.get(why.outcome, why.outcome)}").classes("c-h2")
            _intents(why)
            search = why.evidence.get("search")
            if isinstance(search, dict) and "candidates" in search:
                evidence_of(search)
            elif isinstance(search, dict):
                for name, value in search.items():
                    ui.label(f"{name}: {value}")
        ui.button("Đóng", on_click=dialog.close).props("flat").classes("self-end")


def evidence_of(search: Mapping[str, Any]) -> None:
    """What was searched for, what came close, and the limits that were in force (`Evidence.as_json`)."""
    with ui.element("dl").classes("f-facts"):
        _fact("Đã tìm với", search.get("normalised") or "—")
        limits = search.get("thresholds") or {}
        _fact(
            "Ngưỡng",
            f"trả lời từ {say_percent(limits.get('answer', 0))}, đưa lựa chọn từ {say_percent(limits.get('choose', 0))}"
            f" (mục tiêu đúng {say_percent(limits.get('target', 0))})",
        )
        versions = (f"bộ {search.get('generation')}", search.get("embedder"), search.get("ranker"))
        _fact("Phiên bản", " · ".join(str(one) for one in versions if one))
    candidates_table(search.get("candidates") or ())


def candidates_table(candidates: Sequence[Mapping[str, Any]]) -> None:
    """Entries that came close, best first, with the evidence for each."""
    if not candidates:
        ui.label("Không có mục hỏi đáp nào gần.").classes("c-dim")
        return
    with ui.element("div").classes("c-scroll"), ui.element("table").classes("c-table"):
        with ui.element("thead"), ui.element("tr"):
            for title in ("Mục gần nhất", "Độ tin cậy", "Độ giống", "Từ ngữ", "Tổng"):
                with ui.element("th"):
                    ui.label(title)
        with ui.element("tbody"):
            for one in candidates:
                _candidate(one)


def _candidate(one: Mapping[str, Any]) -> None:
    with ui.element("tr"):
        with ui.element("td"):
            ui.label(str(one.get("question", "")))
            if one.get("matched") not in {None, one.get("question")}:
                ui.label(f"khớp với: {one['matched']}").classes("c-dim")
        confidence = float(one.get("confidence", 0))
        with ui.element("td"):
            ui.label(say_percent(confidence))
            with ui.element("div").classes("v-bar"):
                ui.element("i").style(f"width: {min(1.0, max(0.0, confidence)) * 100:.0f}%")
        for name in ("similarity", "lexical", "final"):
            with ui.element("td"):
                ui.label(f"{float(one[name]):.2f}" if name in one else "—")


def _intents(why: Why) -> None:
    intent = why.evidence.get("intent")
    if not isinstance(intent, dict):
        return
    ranking = intent.get("ranking") or [[intent.get("name"), intent.get("confidence", 0)]]
    with ui.element("dl").classes("f-facts"):
        _fact(
            "Ý định",
            ", ".join(f"{INTENTS_VI.get(name, name)} {say_percent(confidence)}" for name, confidence in ranking[:4]),
        )
        if intent.get("entities"):
            _fact(
                "Nhận ra",
                ", ".join(f"{ENTITIES_VI.get(name, name)}: {value}" for name, value in intent["entities"].items()),
            )
        if intent.get("model"):
            _fact("Mô hình hiểu câu", str(intent["model"]))


def _fact(name: str, value: str) -> None:
    with ui.element("dt"):
        ui.label(name)
    with ui.element("dd"):
        ui.label(value)
