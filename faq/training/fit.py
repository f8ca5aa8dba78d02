"""Train the ranker, its decision and its calibration: `python -m faq.training.fit [DEV_DATA]`. Three minutes.

Two linear models over evidence (never over text): which entry is meant (a softmax over all entries of all views, any
gold entry counts), and whether the first one answers (logistic). Learnt from the labelled wordings of the sample banks
and of the practice banks (`practice.txt`) in five forms of our own making, of the banks of wordings that the sentence
model was not taught, and from the development questions' evidence. The calibration comes from decisions on
development banks that the models had not seen (each left out in turn): it must hold for a bank nobody trained on, and
for questions that people really ask; ours are harder.
"""

import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from faq.calibrate import Calibration, Judged, fit
from faq.embed import load_embedder
from faq.evaluate import BankUnderTest, build_banks
from faq.features import PAIR_FEATURES, VIEW_FEATURES
from faq.noise import FORMS, rewrite
from faq.normalise import Abbreviations, canonical, load_abbreviations, words_of
from faq.ranker import MARGIN_FEATURES, Linear, Ranker
from faq.search import Ranked, Searcher, trust_features, with_view
from faq.settings import ROOT, FaqSettings
from faq.training.ordinary import count_ordinary, load_samples, own_lines
from faq.training.wordings import UNANSWERED, is_kept_back, load_practice, load_wordings

Floats = NDArray[np.float64]
ORDER_NAMES: Final = (*PAIR_FEATURES, *VIEW_FEATURES)
TRUST_NAMES: Final = (*ORDER_NAMES, *MARGIN_FEATURES)
NOT_FOR_TRUST: Final = ("same", "fuzzy", "final", "kind_same", "kind_other", "kind_theirs", "kind_asked")
"""Left out of the decision: they say much about the banks at hand and little about others (docs/answers.md)."""
WITHOUT_GOLD: Final = 3
"""Of every so many answerable questions one is also asked without its entries: nothing answers it then."""
ORDER_L2: Final = 0.1
TRUST_C: Final = 0.0001
OWN: Final = "own"
OTHER_FORMS: Final = FORMS[1:]


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled question and the evidence the search found for it."""

    bank: str
    gold: frozenset[int]
    """Positions of right entries in the bank's index."""
    ranked: Ranked | None
    made: bool = False
    """Was its entry taken away? Such questions teach the decision, and are not judged."""
    form: str = ""
    """How it is written, where the data says."""


def main() -> None:
    """The command line."""
    settings = FaqSettings()
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("FAQ_DEV_DATA")
    data = Path(given) if given else ROOT.parent / "shared" / "data" / "faq"
    table = load_abbreviations(settings.abbreviations)
    embedder = load_embedder(settings)
    ordinary = count_ordinary(table)
    lines = [" ".join(canonical(words_of(line), table)) for line in own_lines()]
    centre = embedder.embed(lines).mean(axis=0)
    ones = Linear(ORDER_NAMES, np.ones(len(ORDER_NAMES), np.float32), 0.0)
    blank = Calibration(1.0, 0.0, (), 0.5, 0).as_json()
    searcher = Searcher(
        embedder, table, Ranker("untrained", ones, ones, ordinary, blank, {embedder.name: centre}), settings.target
    )
    bank_rows, questions = own_questions(table)
    own_banks = {one["bank"] for one in questions}
    if data.exists():
        bank_rows += _rows(data / "bank.jsonl")
        questions += _rows(data / "queries.jsonl")
    banks = build_banks(bank_rows, searcher, settings)
    examples = [made for one in questions for made in _examples(searcher, banks[one["bank"]], one)]

    judged: list[Judged] = []
    by_form: dict[str, list[Judged]] = defaultdict(list)
    real = {one["bank"] for one in questions} - own_banks
    for left_out in (*sorted(real), OWN):
        order, trust = learn([one for one in examples if one.bank != left_out])
        held = [one for one in examples if one.bank == left_out and not one.made]
        own = [judge(one, order, trust) for one in held]
        if left_out in real or not real:
            judged += own
            for example, one in zip(held, own, strict=True):
                by_form[example.form].append(one)
        asked = [one for one in own if one.answerable]
        print(f"left out {left_out}: first entry right {100 * sum(one.right for one in asked) / len(asked):.1f} %")
    calibration = fit(judged)
    told = roc_auc_score([one.answerable for one in judged], [one.score for one in judged])
    print(f"left out, all: answerable from unanswerable (AUROC) {told:.3f}")
    for form, found in (*by_form.items(), ("all", judged)):
        asked = [one for one in found if one.answerable]
        if asked:
            first = 100 * sum(one.right for one in asked) / len(asked)
            three = 100 * sum(one.offered for one in asked) / len(asked)
            print(f"left out, {form or 'any form'}: first {first:.1f} %, among three {three:.1f} %")
    for point in calibration.curve[::4]:
        print(f"  from {point.threshold:.3f}: coverage {point.coverage:.3f}, precision {point.precision:.3f}")
    print(f"coverage at {settings.target}: {calibration.coverage_at(settings.target):.3f}")
    order, trust = learn(examples)
    version = f"linear-3 ({len(examples)} questions, {len(banks)} banks)"
    stored = {
        "version": version,
        "order": _stored(order, 0.0, ORDER_NAMES),
        "trust": _stored(trust[:-1], float(trust[-1]), TRUST_NAMES),
        "calibration": calibration.as_json(),
        "centres": {embedder.name: [round(float(one), 5) for one in centre]},
    }
    settings.ranker.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    words = json.dumps(ordinary.as_json(), ensure_ascii=False, separators=(",", ":"))
    (settings.ranker.parent / "ordinary.json").write_text(words + "\n", encoding="utf-8")


def own_questions(table: Abbreviations) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The sample banks as one bank, and their labelled wordings in every form."""
    rows: list[dict[str, Any]] = []
    questions: list[dict[str, Any]] = []
    for bank in load_samples():
        for at, entry in enumerate(bank["entries"]):
            name = f"{bank['unit']}:{at}"
            rows.append({**entry, "id": name, "bank": OWN})
            questions += [
                {"bank": OWN, "text": rewrite(text, form, table, text), "gold": [name]}
                for text in entry.get("asked", ())
                for form in FORMS
            ]
        questions += [
            {"bank": OWN, "text": rewrite(text, form, table, text), "gold": []}
            for text in bank.get("unanswerable", ())
            for form in FORMS
        ]
    kept_back = {name: lines for name, lines in load_wordings().items() if is_kept_back(name)}
    for name, lines in (load_practice() | kept_back).items():
        for at, (question, *asked) in enumerate(lines):
            key = f"{name}:{at}"
            if question.startswith(UNANSWERED):
                asked, gold = [question.removeprefix(UNANSWERED).strip()], []
            else:
                rows.append({"id": key, "bank": name, "question": question, "answer": ""})
                gold = [key]
            for number, text in enumerate(asked):
                # of the many banks kept back two forms of a wording do: all five would say little more and take minutes
                forms = ("plain", OTHER_FORMS[(at + number) % len(OTHER_FORMS)]) if name in kept_back else FORMS
                questions += [{"bank": name, "text": rewrite(text, form, table, text), "gold": gold} for form in forms]
    return rows, questions


def learn(examples: Sequence[Example]) -> tuple[Floats, Floats]:
    """Weights of the order, and of trust (its bias last)."""
    share = Counter(one.bank for one in examples)
    order = learn_order([one for one in examples if one.ranked and one.gold], share)
    usable = [one for one in examples if one.ranked]
    features = np.stack([_best(one, order)[1] for one in usable])
    right = np.array([_best(one, order)[0][0] in one.gold for one in usable])
    weights = np.array([share[one.bank] ** -0.5 for one in usable])
    answerable = np.array([bool(one.gold) for one in usable])
    for bank in share:  # two answerable questions to one that is not, in every bank
        here = np.array([one.bank == bank for one in usable])
        if (here & ~answerable).any() and (here & answerable).any():
            weights[here & ~answerable] *= weights[here & answerable].sum() / 2 / weights[here & ~answerable].sum()
    used = np.array([name not in NOT_FOR_TRUST for name in TRUST_NAMES])
    middle, spread = features[:, used].mean(axis=0), features[:, used].std(axis=0) + 1e-6
    model = LogisticRegression(C=TRUST_C, max_iter=2000)
    model.fit((features[:, used] - middle) / spread, right, sample_weight=weights / weights.mean())
    trust = np.zeros(len(TRUST_NAMES) + 1)
    trust[:-1][used] = model.coef_[0] / spread
    trust[-1] = model.intercept_[0] - float((model.coef_[0] * middle / spread).sum())
    return order, trust


def learn_order(examples: Sequence[Example], share: Counter[str]) -> Floats:
    """Softmax regression over all (view, entry) rows of a question, any right row counting; by L-BFGS."""
    kept, rows, labels = [], [], []
    for one in examples:
        entries, features = _flat(one)
        right = np.isin(entries, list(one.gold))
        if right.any():
            kept.append(one)
            rows.append(features)
            labels.append(right)
    lengths = np.array([len(one) for one in labels])
    starts = np.r_[0, lengths.cumsum()[:-1]]
    owner = np.repeat(np.arange(len(kept)), lengths)
    features, right = np.concatenate(rows), np.concatenate(labels)
    weights = np.array([share[one.bank] ** -0.5 for one in kept])
    weights /= weights.sum()
    spread = features.std(axis=0) + 1e-6
    scaled = features / spread

    def loss(beta: Floats) -> tuple[float, Floats]:
        scores = scaled @ beta
        lifted = np.exp(scores - np.maximum.reduceat(scores, starts)[owner])
        total = np.add.reduceat(lifted, starts)
        good = np.add.reduceat(lifted * right, starts)
        pull = weights[owner] * (lifted / total[owner] - lifted * right / good[owner])
        value = float((weights * np.log(total / good)).sum() + ORDER_L2 * beta @ beta)
        return value, pull @ scaled + 2 * ORDER_L2 * beta

    found = minimize(loss, np.full(len(ORDER_NAMES), 0.3), jac=True, method="L-BFGS-B", options={"maxiter": 400})
    return np.asarray(found.x / spread, np.float64)


def judge(one: Example, order: Floats, trust: Floats) -> Judged:
    """What these models make of a labelled question."""
    if not one.ranked:
        return Judged(-9.0, False, False, bool(one.gold))
    entries, features = _best(one, order)
    score = float(features @ trust[:-1] + trust[-1])
    return Judged(score, entries[0] in one.gold, bool(one.gold.intersection(entries[:3])), bool(one.gold))


def _flat(one: Example) -> tuple[NDArray[np.int64], Floats]:
    assert one.ranked is not None  # noqa: S101 - callers filter
    entries = np.concatenate([scored.entries for scored in one.ranked.scored])
    return entries, np.concatenate([with_view(scored) for scored in one.ranked.scored]).astype(np.float64)


def _best(one: Example, order: Floats) -> tuple[list[int], Floats]:
    """Entries in the order of these weights, and the trust features of the first: as `Searcher.rank` does it."""
    assert one.ranked is not None  # noqa: S101 - callers filter
    best: dict[int, tuple[int, int, int, float]] = {}
    for at, scored in enumerate(one.ranked.scored):
        for row, score in enumerate(with_view(scored) @ order):
            entry = int(scored.entries[row])
            if entry not in best or score > best[entry][3]:
                best[entry] = (entry, at, row, float(score))
    rows = tuple(sorted(best.values(), key=lambda held: (-held[3], held[0])))
    ranked = Ranked(one.ranked.views, one.ranked.scored, rows)
    return [entry for entry, _, _, _ in rows], trust_features(ranked).astype(np.float64)


def _examples(searcher: Searcher, bank: BankUnderTest, question: dict[str, Any]) -> Iterator[Example]:
    clauses, repairs = searcher.read(bank.index, question["text"])
    allowed = np.ones(len(bank.index.entries), bool)
    gold = frozenset(at for at, name in enumerate(bank.ids.values()) if name in question["gold"])
    ranked = searcher.rank(bank.index, clauses, repairs, allowed) if clauses else None
    yield Example(question["bank"], gold, ranked if ranked and ranked.order else None, form=question.get("kind", ""))
    if gold and clauses and crc32(question["text"].encode()) % WITHOUT_GOLD == 0:
        allowed[list(gold)] = False
        ranked = searcher.rank(bank.index, clauses, repairs, allowed)
        yield Example(question["bank"], frozenset(), ranked if ranked.order else None, True)


def _stored(weights: Floats, bias: float, names: Sequence[str]) -> dict[str, Any]:
    return {
        "weights": {name: round(float(one), 4) for name, one in zip(names, weights, strict=True)},
        "bias": round(bias, 4),
    }


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
