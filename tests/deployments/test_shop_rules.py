"""A shop adds words and exceptions in a file; a bad file is refused with the place and the reason, before anything changes."""

from pathlib import Path

import pytest

from deployments.ingress.fakes import fake_gateway
from deployments.settings import IngressConfig
from deployments.shop_rules import rulebook
from deployments.store import Store
from graphs.analyze import AnalyzeReply, AnalyzeRequest
from graphs.compliance import Rulebook
from graphs.errors import GraphError

FILE = """
rules:
  - rule: absolute_term
    words: [天花板价]
    exceptions: [顶级域名, Unbeatable Tea]
  - rule: house_words
    words: [亲亲, "Mega Deal"]
    instead: {亲亲: 您好, Mega Deal: "{offer}"}
    severity: note
    suggestion: {zh: 我们店不这样说话。, en: We do not talk like this.}
"""


def rules_of(folder: Path, text: str) -> Rulebook:
    path = folder / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return rulebook(path)


def test_without_a_file_the_shipped_rules_apply() -> None:
    assert [f.rule for f in rulebook(None).check("国家级的锅", "zh").findings] == ["absolute_term"]


def test_words_are_added_to_a_shipped_rule(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, FILE)
    assert [(f.rule, f.text) for f in rules.check("今天是天 花 板价", "zh").findings] == [("absolute_term", "天 花 板价")]
    assert [f.text for f in rules.check("国家级的锅", "zh").findings] == ["国家级"], "the shipped words stay"


def test_exceptions_are_added_to_a_shipped_rule(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, FILE)
    assert rules.check("本店卖 unbeatable tea 和顶级域名", "zh").passed
    assert not rules.check("顶级的锅", "zh").passed


def test_a_rule_of_its_own_has_severity_suggestion_and_replacement(tmp_path: Path) -> None:
    result = rules_of(tmp_path, FILE).check("亲亲，MEGA DEAL！", "zh")
    assert result.passed, "a note passes"
    assert [(f.rule, f.text, f.instead) for f in result.findings] == [
        ("house_words", "亲亲", "您好"),
        ("house_words", "MEGA DEAL", "{offer}"),
    ]
    assert result.findings[0].suggestion == "可改为“您好”。我们店不这样说话。"


def test_a_latin_word_is_no_part_of_another(tmp_path: Path) -> None:
    assert not rules_of(tmp_path, FILE).check("omega dealers", "en").findings


def test_a_word_of_the_shop_is_found_in_pinyin_too(tmp_path: Path) -> None:
    assert [f.text for f in rules_of(tmp_path, FILE).check("qinqin，来了", "zh").findings] == ["qinqin"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules: [", "no YAML"),
        ("", "the file"),
        ("rules: []\nmore: 1", "more"),
        ("rules: [{rule: absolute_term, words: ['']}]", "rules.0.words.0"),
        ("rules: [{rule: absolute_term, word: [a]}]", "rules.0.word"),
        ("rules: [{rule: absolute_term, severity: bad}]", "rules.0.severity"),
        ("rules: [{rule: my_rule, words: [a]}]", "rule `my_rule`: a rule of a shop's own needs a `suggestion`"),
        ("rules: [{rule: my_rule, suggestion: {zh: a, en: b}}]", "rule `my_rule`: no shipped rule has this name"),
        ("rules: [{rule: My-Rule, words: [a], suggestion: {zh: a, en: b}}]", "rule `My-Rule`: a name is"),
        ('rules: [{rule: absolute_term, words: ["\\u200b"]}]', "holds no character"),
        ("rules: [{rule: absolute_term, words: [a], instead: {b: c}}]", "not among its `words`"),
    ],
)
def test_a_bad_file_is_refused_with_the_reason(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(GraphError, match=r"compliance rules .*rules\.yaml") as caught:
        rules_of(tmp_path, text)
    assert told in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=r"nothing\.yaml cannot be read"):
        rulebook(tmp_path / "nothing.yaml")


async def test_the_rules_apply_to_requests_as_soon_as_they_are_configured(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(FILE, encoding="utf-8")
    store = await Store.open(f"sqlite:///{tmp_path / 'shop.db'}")
    gateway = fake_gateway(store)

    async def found() -> list[str]:
        reply: AnalyzeReply = (await gateway.run("analyze", AnalyzeRequest("今天是天花板价。", "zh"), budget_s=5)).output
        return [finding.text for finding in reply.compliance.findings]

    try:
        assert await found() == []
        gateway.apply(IngressConfig(compliance_rules=path))
        assert await found() == ["天花板价"]
        with pytest.raises(GraphError, match="cannot be read"):
            gateway.apply(IngressConfig(compliance_rules=tmp_path / "nothing.yaml"))
        assert await found() == ["天花板价"], "a bad file changes nothing"
        gateway.apply(IngressConfig())
        assert await found() == []
    finally:
        await store.close()
