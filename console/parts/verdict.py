"""What a citizen would get for a question now, and why."""

from typing import assert_never

from nicegui import ui

from console.parts.evidence import evidence_of
from console.wording import say_percent
from faq.decide import Answer, Answers, Decision, HandOver, OfferChoices


def verdict(decision: Decision) -> None:
    """The decision in words, the text that would be sent, and the evidence folded away."""
    with ui.element("section").classes("c-sheet").props("role=status").mark("verdict"):
        match decision:
            case Answer(entry=entry, confidence=confidence):
                _line("green", "Bot trả lời ngay", confidence)
                ui.label(entry.draft.question).classes("c-h2")
                ui.label(entry.draft.answer).classes("c-pre")
            case Answers(parts=parts):
                ui.label(f"Bot trả lời {len(parts)} câu hỏi trong một tin").classes("c-chip green")
                for one in parts:
                    ui.label(one.entry.draft.question).classes("c-h2")
                    ui.label(one.entry.draft.answer).classes("c-pre")
            case OfferChoices(entries=entries, confidence=confidence):
                _line("amber", "Bot hỏi lại “Ý bạn là…”", confidence)
                for entry in entries:
                    ui.label(f"• {entry.draft.question}")
            case HandOver(confidence=confidence):
                _line("red", "Bot chưa trả lời được, chuyển cán bộ", confidence)
            case _:
                assert_never(decision)
        with ui.expansion("Căn cứ").props("dense"):
            evidence_of(decision.evidence.as_json())


def _line(colour: str, words: str, confidence: float) -> None:
    ui.label(f"{words} · độ tin cậy {say_percent(confidence)}").classes(f"c-chip {colour} self-start")
