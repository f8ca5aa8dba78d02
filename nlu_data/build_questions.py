"""Writes nlu_data/nlu/bank_questions.yml: the sample banks' questions as examples of `ask_question`.

`ask_question` is whatever a department may have an answer to, far wider than a list typed by hand. Each question of the
sample banks is taken once as written, and one in three again as citizens write: without diacritics, or in the midst of
courtesies. The wordings under `asked:` stay out: they are what the intents are measured on.

    python -m nlu_data.build_questions kb_import/samples/content/*.yml
"""

import sys
from pathlib import Path

import yaml

from nlu_data.vi_nlu.text import fold, strip_diacritics

OUT = Path(__file__).parent / "nlu" / "bank_questions.yml"
WRAPPERS = (
    "xin chào, cho em hỏi {} ạ",
    "chào ad, cho mình hỏi chút ạ. {} mong ad trả lời sớm giúp, cảm ơn nhiều",
    "alo tổng đài ơi, gọi mãi không ai nghe máy. cho tôi hỏi {} nhờ trả lời giúp, xin cảm ơn",
    "dạ cháu chào cô chú, cháu muốn hỏi {} cháu cảm ơn ạ",
    "nhà tôi đang rất lo, hai hôm nay hỏi khắp nơi không được. {} nhờ cán bộ trả lời giúp tôi với",
    "ad ơi {} e cảm ơn ad nha",
    "tôi ở quê lên, không rành công nghệ. tổng đài cho hỏi {} xin cảm ơn tổng đài",
)


def main(paths: list[str]) -> None:
    """Read the banks' questions and other phrasings, write the examples."""
    questions: dict[str, str] = {}
    for path in sorted(paths):
        for entry in yaml.safe_load(Path(path).read_text(encoding="utf-8"))["entries"]:
            for text in (entry["question"], *entry.get("phrasings", ())):
                questions.setdefault(fold(text), " ".join(text.split()))
    examples = []
    for at, text in enumerate(questions.values()):
        examples.append(text)
        bare = text.rstrip("?. ")
        bare = bare[0].lower() + bare[1:]
        if at % 3 == 0:
            examples.append(strip_diacritics(bare))
        elif at % 3 == 1:
            examples.append(WRAPPERS[at // 3 % len(WRAPPERS)].format(bare))
    lines = ['version: "3.1"', "", "nlu:", "  - intent: ask_question", "    examples: |"]
    OUT.write_text("\n".join(lines + [f"      - {one}" for one in examples]) + "\n", encoding="utf-8")
    print(f"{len(questions)} questions, {len(examples)} examples -> {OUT}")


if __name__ == "__main__":
    main(sys.argv[1:])
