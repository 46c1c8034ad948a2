"""Questions with facts and answers out of a file of your own, shown among facts about other things."""

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.prompts import MAX_PASSAGES, REFUSALS, answer_prompt, plain
from models.training.corpus.examples import Message
from models.types import Language, Passage

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_TAKEN_AWAY = 0.25  # share of answerable questions whose facts are taken away, so that the answer is a refusal


@dataclass(frozen=True, slots=True)
class Given:
    question: str
    facts: tuple[str, ...]
    answer: str | None  # None: the facts do not say

    @property
    def language(self) -> Language:
        return "zh" if _CHINESE.search(self.question) else "en"


def read_given(path: Path) -> tuple[Given, ...]:
    """Lines of JSON `{"question", "facts": [...], "answer": text or null}`. Raises ValueError that names the line that is none."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(_given(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip())


def _given(line: str, place: str) -> Given:
    try:
        row = json.loads(line)
        question, facts, answer = row["question"], tuple(row["facts"]), row["answer"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f'{place}: expected {{"question": text, "facts": [text], "answer": text or null}}, found {line[:80]!r}') from error
    if not all(isinstance(text, str) for text in (question, *facts)) or not isinstance(answer, str | None):
        raise ValueError(f"{place}: question, facts and answer are texts, answer may be null")
    return Given(question, facts, answer)


def converse_given(given: Sequence[Given], rng: random.Random) -> tuple[Message, ...]:
    """One of them, its facts in any order between facts of others; sometimes without its own, and then declined."""
    row = rng.choice(given)
    others = [
        fact for other in rng.sample(given, min(len(given), rng.randint(0, 3))) if other.facts != row.facts for fact in other.facts[:1]
    ]
    taken_away = row.answer is not None and bool(others) and rng.random() < _TAKEN_AWAY
    facts = [*(() if taken_away else row.facts), *others][:MAX_PASSAGES]
    rng.shuffle(facts)
    prompt = answer_prompt(row.question, [Passage("", "document", fact, 1.0) for fact in facts], [], row.language)
    told = row.answer is not None and any(plain(fact) in prompt.messages[1][1] for fact in row.facts)
    return (*prompt.messages, ("assistant", row.answer if told and row.answer else REFUSALS[row.language]))
