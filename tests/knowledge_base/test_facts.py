"""The shop's articles say what its facts say, each in words of its own. Everything here works on text, without an index or a model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from knowledge_base.model import Article
from knowledge_base.reading import read_folder

SHOP = Path(__file__).resolve().parents[2] / "knowledge_base"
WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NUMBERS = {word: str(number) for number, word in enumerate(WORDS, 1)}
NUMBER = rf"(?:-?\d+(?:,\d{{3}})*(?:\.\d+)?|(?:{'|'.join(NUMBERS)}|an?)\b)"
LONG_UNITS = r"hour|working day|day|week|month|year"
UNITS = rf"(?:(?:second|minute|{LONG_UNITS}|metre|centimetre|cm|character|watt|clip|device)s?|°C|%|GHz|Mbit/s)"
KINDS = {
    "{}": rf"{NUMBER}(?: (?:to|and|or) {NUMBER})?[ -]{UNITS}(?!\w)",  # a quantity: "2 to 4 working days", "30-day", "7 °C"
    "{n}": rf"{NUMBER}",
    "{t}": r"\d+:\d\d (?:to|and) \d+:\d\d",
    "{c}": r"\d+:\d\d",
    "{a}": r"€\d+(?:,\d{3})*(?:\.\d\d)?",
}


@dataclass(frozen=True)
class Facts:
    """The tree of ``facts.yml`` without its ``wordings``, which say how articles put a fact: patterns by dotted path."""

    tree: dict[str, Any]
    wordings: dict[str, list[str]]

    def text(self, path: str) -> str:
        value: Any = self.tree
        for name in path.split("."):
            value = value[name]
        return " ".join(str(item) for _, item in leaves(value))

    def amounts(self, slug: str) -> set[str]:
        """All amounts that the article may name: those of any fact, and the sums that it works out itself."""
        told = {**self.tree, "worked_examples": {}}
        return {amount for _, value in leaves(told) for amount in found("{a}", str(value))} | self.examples(slug)

    def examples(self, slug: str) -> set[str]:
        return set(self.tree["worked_examples"].get(slug, ()))

    def menus(self) -> set[str]:
        tree = self.tree
        own = {path for group in ("menus", "thermostat_menus", "admin_menus") for path in tree[group].values()}
        own |= {path.replace("your device", f"your {device}") for path in own for device in tree["devices_in_menus"]}
        return own | {f"{tree['menus']['add_device']} > {kind}" for kind in tree["kinds_to_add"]}

    def models(self) -> set[str]:
        return {product["name"] for product in self.tree["products"].values()} | set(self.tree["retired_products"]) | set(self.tree["parts"])


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value below ``value`` that holds no others, with its dotted path; the items of a list share theirs."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, path)
    else:
        yield path.lstrip("."), value


def plain(markdown: str) -> str:
    """Markdown as one line of words: without marks, targets of links and line breaks."""
    text = re.sub(r"\]\([^)]*\)", "", markdown)
    text = re.sub(r"^#+ +(.*\w)$", r"\1.", text, flags=re.M)
    text = re.sub(r"^(?:#+|[-*]|\d+\.) +", "", text, flags=re.M)
    return re.sub(r"\s+", " ", re.sub(r"[*`\[\]!]|\|(?=\n)", "", text))


def said(article: Article) -> str:
    """What the article claims, in one line; customers' own phrasings are no claims."""
    return plain(f"{article.title}. {article.answer} {article.markdown}")


def found(kind: str, text: str) -> set[str]:
    """All values of one kind in ``text``, written in one way: digits, one unit in the singular, "to" in ranges."""
    return {normal(match) for match in re.findall(KINDS[kind], text, re.I)}


def normal(value: str) -> str:
    words = re.sub(r"(?<=\d)-(?=[a-z])", " ", value.lower()).split()
    words = [re.sub(r"(?<=[a-z]{3})s$", "", NUMBERS.get(word, "1" if word in ("a", "an") else word)) for word in words]
    return re.sub(r"(?<=\d) (?:and|or) (?=\d)", " to ", " ".join(words))


def misread(tree: dict[str, Any]) -> list[str]:
    """Facts that YAML took for nothing or for yes, and names that it took for yes or no."""
    return [path for path, value in leaves(tree) if value is None or value is True or {"True", "False"} & set(path.split("."))]


def wrong_wordings(facts: Facts, texts: dict[str, str]) -> list[str]:
    """Every place where a wording says something else than its fact, with article, quotation and fact."""
    return [
        f"{slug}: {quote!r}, but {path} is {facts.text(path)!r}"
        for path, patterns in facts.wordings.items()
        for pattern in patterns
        for slug, kind, value, quote in _spoken(pattern, texts)
        if not _agrees(facts, path, kind, value)
    ]


def unused_wordings(facts: Facts, texts: dict[str, str]) -> list[str]:
    return [f"{path}: {pattern}" for path, patterns in facts.wordings.items() for pattern in patterns if not any(_spoken(pattern, texts))]


def _spoken(pattern: str, texts: dict[str, str]) -> Iterator[tuple[str, str, str, str]]:
    slug, _, wording = pattern.rpartition("@")
    kind = next((kind for kind in KINDS if kind in wording), "")
    searched = re.compile(wording.replace(kind, f"(?P<value>{KINDS[kind]})") if kind else f"(?P<value>){wording}", re.I)
    for name, text in texts.items():
        if slug in ("", name):
            yield from ((name, kind, match["value"], match.group()) for match in searched.finditer(text))


def _agrees(facts: Facts, path: str, kind: str, value: str) -> bool:
    return not kind or normal(value) in found(kind, facts.text(path))


def unknown_amounts(facts: Facts, texts: dict[str, str]) -> list[str]:
    """Amounts that no fact knows, and those that are not written with the sign before the number."""
    odd = re.compile(r"\d+ ?(?:euros?\b|EUR\b|€)|EUR \d+", re.I)
    return [
        f"{slug}: {amount}" for slug, text in texts.items() for amount in sorted((found("{a}", text) - facts.amounts(slug)) | set(odd.findall(text)))
    ]


def unknown_times(facts: Facts, texts: dict[str, str]) -> list[str]:
    """Periods of an hour and more that no fact knows. Seconds and minutes of steps are left to the wordings."""
    long = re.compile(rf"\b(?!1 )\S.* (?:{LONG_UNITS})$")
    known = {value for _, fact in leaves(facts.tree) for value in found("{}", str(fact))}
    return [f"{slug}: {value}" for slug, text in texts.items() for value in sorted(found("{}", text) - known) if long.match(value)]


def unknown_menus(facts: Facts, markdowns: dict[str, str]) -> list[str]:
    """Menu paths in bold that are not a whole path of the facts, and paths in other text that do not begin as one of them does."""
    known, faults = facts.menus(), []
    for slug, markdown in markdowns.items():
        bold = re.findall(r"\*\*([^*\n]+ > [^*\n]+)\*\*", markdown)
        faults += [f"{slug}: {path}" for path in bold if path not in known]
        rest = re.findall(r"(?:Account|Devices|Automations) > [^.;*]+", re.sub(r"\*\*[^*\n]+\*\*", "", markdown))
        faults += [f"{slug}: {path}" for path in rest if not any(re.match(rf"{re.escape(whole)}(?! >)\b", path) for whole in known)]
    return faults


def unknown_models(facts: Facts, texts: dict[str, str]) -> list[str]:
    named = re.compile(r"\b(?:Alder|Willow|Finch|Rowan|Wisp|Burrow|Robin|Sprig) (?:[A-Z]\w*|[a-z]\d\w*)|\b[A-Z]\d\b")
    known = facts.models()
    short = {name.split()[-1] for name in known}
    codes = {code for group in ("codes", "valve_codes") for code in facts.tree["heating"][group]}
    faults = []
    for slug, text in texts.items():
        names = {match.rstrip("s") for match in named.findall(text)} - known - short - codes
        faults += [f"{slug}: {name}" for name in sorted(names)]
    return faults


def same_sentences(articles: list[Article]) -> list[str]:
    """Sentences of more than four words that stand in two bodies, or twice in one."""
    seen = Counter(sentence for article in articles for sentence in sentences(article.markdown))
    return [sentence for sentence, times in seen.items() if times > 1]


def sentences(markdown: str) -> Iterator[str]:
    for line in re.split(r"\n(?=\n|[-*|#]|\d+\.)", re.sub(r"^#.*$", "", markdown, flags=re.M)):
        for sentence in re.split(r"(?<=[.!?:]) ", plain(line + "\n")):
            words = re.findall(r"[\w€°%']+", sentence.lower())
            if len(words) > 4:
                yield " ".join(words)


def same_runs(articles: list[Article], length: int = 12) -> list[str]:
    """Runs of ``length`` words that stand in two bodies, menu paths aside: what a filled-in template would leave."""
    seen: dict[str, set[str]] = {}
    for article in articles:
        words = re.findall(r"[\w€°%']+", plain(re.sub(r"\*\*[^*\n]+ > [^*\n]+\*\*", "", article.markdown)).lower())
        for start in range(len(words) - length + 1):
            seen.setdefault(" ".join(words[start : start + length]), set()).add(article.slug)
    return [f"{sorted(slugs)}: {run}" for run, slugs in seen.items() if len(slugs) > 1]


def same_headings(articles: list[Article]) -> list[str]:
    """FAQ articles whose headings and bold lead-ins are, in order, those of another one; those without any are left out."""
    shapes: dict[tuple[str, ...], list[str]] = {}
    for article in articles:
        if article.kind == "faq":
            headings = re.findall(r"^(?:##+ (.+)|\*\*([^*\n]+)\*\*)", article.markdown, re.M)
            shapes.setdefault(tuple(heading or lead for heading, lead in headings), []).append(article.slug)
    return [f"{slugs}: {shape}" for shape, slugs in shapes.items() if shape and len(slugs) > 1]


def incomplete(articles: list[Article]) -> list[str]:
    """Public articles with fewer than five phrasings, no answer or one of more than 60 words, no date of review or no owner."""
    faults = []
    for article in articles:
        wanting = [
            "phrasings" if len({question.lower() for question in article.questions}) < 5 else "",
            "answer" if not 0 < len((article.answer or "").split()) <= 60 else "",
            "review_by" if not article.review_by else "",
            "owner" if not article.owner else "",
        ]
        faults += [f"{article.slug}: {name}" for name in wanting if name and article.audience == "public"]
    return faults


def counts(articles: list[Article]) -> Counter[str]:
    """How many live articles of each kind there are: public ones by kind, guides that ask and branch, internal ones."""
    live = [article for article in articles if article.status == "published"]
    tally = Counter(article.kind if article.audience == "public" else "internal" for article in live)
    tally["branching"] = sum(1 for article in live if article.kind == "guide" and _branches(article.markdown))
    return tally


def _branches(markdown: str) -> bool:
    """One step, at least, offers three ways on or more."""
    return any(len(re.findall(r"^- \[.+?\]\(.+?\)", step, re.M)) >= 3 for step in re.split(r"^## ", markdown, flags=re.M))


def worked(facts: Facts, terms: list[list[Any]]) -> float:
    return sum(float(factor) * _money(facts.text(term) if "." in term else term) for factor, term in terms)


def _money(amount: str) -> float:
    return float(amount.lstrip("€").replace(",", ""))


@pytest.fixture(scope="module")
def facts() -> Facts:
    tree = yaml.safe_load((SHOP / "facts.yml").read_text(encoding="utf-8"))
    return Facts(tree, tree.pop("wordings"))


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    return list(read_folder(SHOP / "articles").articles)


@pytest.fixture(scope="module")
def texts(articles: list[Article]) -> dict[str, str]:
    return {article.slug: said(article) for article in articles}


@pytest.fixture(scope="module")
def markdowns(articles: list[Article]) -> dict[str, str]:
    return {article.slug: f"{article.answer}\n\n{article.markdown}" for article in articles}


def test_facts_are_texts_and_numbers(facts: Facts) -> None:
    """A comma in braces or a bare ``on`` would turn a fact into something that nobody wrote."""
    assert misread(facts.tree) == []
    assert misread(yaml.safe_load("{box: plate, receiver, off: no power, plug: {light: on}}")) == ["receiver", "False", "plug.light"]


def test_every_measured_fact_is_watched(facts: Facts) -> None:
    """A new amount, period or hour comes with the words by which it is found in articles."""
    unspoken = {"network.set_up_button", "menus.add_device"}
    examples = {path for path, _ in leaves(facts.tree) if path.startswith("worked_examples.")}
    measured = {path for path, value in leaves(facts.tree) for kind in ("{}", "{t}", "{c}", "{a}") if found(kind, str(value))}
    assert measured - examples - unspoken - set(facts.wordings) == set()


def test_worked_examples_add_up(facts: Facts, texts: dict[str, str]) -> None:
    for slug, sums in facts.tree["worked_examples"].items():
        assert set(sums) <= found("{a}", texts[slug]), slug
        for amount, terms in sums.items():
            assert terms == "assumed" or abs(worked(facts, terms) - _money(amount)) < 0.01, (slug, amount)
    assert abs(worked(facts, [[12, "plus.price_month"], [-1, "plus.price_year"]]) - _money("€10.98")) > 0.01


def test_articles_say_what_the_facts_say(facts: Facts, texts: dict[str, str]) -> None:
    assert wrong_wordings(facts, texts) == []


@pytest.mark.parametrize(
    ("slug", "right", "wrong"),
    [
        ("return-a-product", "within 30 days of delivery", "within 14 days of delivery"),
        ("what-plus-offers", "30 days of clips", "60 days of clips"),
        ("which-router", "Alder R2 (€89)", "Alder R2 (€99)"),
        ("delivery-costs-and-times", "2 to 4 working days, 4", "3 to 5 working days, 4"),
        ("delivery-costs-and-times", "before 14:00", "before 16:00"),
        ("contact-us", "8:00 to 20:00", "8:00 to 18:00"),
        ("camera-battery-drains", "in 4 months", "in six months"),
        ("hub-offline", "it has 3 years", "it has 2 years"),
        ("share-with-household", "up to 6 people", "up to five people"),
        ("return-without-box", "We keep €5", "We keep €10"),
    ],
)
def test_a_fact_told_wrongly_is_found(slug: str, right: str, wrong: str, facts: Facts, texts: dict[str, str]) -> None:
    """Each wrong value is a right one somewhere else, so only the words around it give it away."""
    assert right in texts[slug]
    assert wrong_wordings(facts, {slug: texts[slug].replace(right, wrong)}) != []


def test_every_wording_is_used(facts: Facts, texts: dict[str, str]) -> None:
    """A wording that an edit has left behind would watch nothing."""
    dead = {"returns.period": ["may be sent home within {}"]}
    assert unused_wordings(facts, texts) == []
    assert unused_wordings(replace(facts, wordings=dead), texts) == ["returns.period: may be sent home within {}"]


def test_every_amount_is_a_fact(facts: Facts, texts: dict[str, str]) -> None:
    assert unknown_amounts(facts, texts) == []
    assert unknown_amounts(facts, {"planted": "A hub is €69, two are €135 and a palace 900 euros."}) == ["planted: 900 euros", "planted: €135"]


def test_every_period_is_a_fact(facts: Facts, texts: dict[str, str]) -> None:
    assert unknown_times(facts, texts) == []
    planted = {"planted": "Within 30 days, a 45-day trial, three to nine weeks, after 40 seconds."}
    assert unknown_times(facts, planted) == ["planted: 3 to 9 week", "planted: 45 day"]


def test_every_menu_path_is_a_fact(facts: Facts, markdowns: dict[str, str]) -> None:
    planted = {"planted": "**Devices > your bulb > Signal**, **Account > Orders > Print**. Account > Plan > Freeze plan. **Settings > Light**"}
    assert unknown_menus(facts, markdowns) == []
    assert unknown_menus(facts, planted) == [
        f"planted: {path}" for path in ("Account > Orders > Print", "Settings > Light", "Account > Plan > Freeze plan")
    ]


def test_every_model_is_a_fact(facts: Facts, texts: dict[str, str]) -> None:
    planted = "An Alder R2, an Alder R3, five Wisp Spots, a Finch Garden, an M2 and code E4, not E3"
    assert unknown_models(facts, texts) == []
    assert unknown_models(facts, {"planted": planted}) == ["planted: Alder R3", "planted: E4", "planted: Finch Garden", "planted: M2"]


def test_the_table_of_routers_is_the_facts(facts: Facts, markdowns: dict[str, str]) -> None:
    assert _router_rows(markdowns["which-router"]) == _router_facts(facts)
    assert _router_rows(markdowns["which-router"].replace("| 2 | 4 | 4 |", "| 2 | 2 | 4 |")) != _router_facts(facts)


def _router_rows(markdown: str) -> dict[str, list[str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines() if line.startswith("| ")]
    return {row[0]: row[1:] for row in rows}


def _router_facts(facts: Facts) -> dict[str, list[str]]:
    routers = [facts.tree["products"][name] for name in ("alder_r2", "alder_r4", "alder_pro")]
    return {
        "": [router["name"] for router in routers],
        "Price": [router["price"] for router in routers],
        "Wi-Fi": [router["wifi"].removeprefix("Wi-Fi ") for router in routers],
        "Reaches about": [f"{router['covers_m2']} m²" for router in routers],
        "LAN ports": [str(router["lan_ports"]) for router in routers],
        "Internet up to": [router["internet_up_to"] for router in routers],
    }


def test_no_two_bodies_share_their_words(articles: list[Article]) -> None:
    assert same_sentences(articles) == []
    assert same_runs(articles) == []


def test_a_shared_sentence_is_found(articles: list[Article]) -> None:
    twice = "# New\n\nHere we go. Choose the **right** one for you. Off it goes!\n\n- Choose the right one for [you](x)."
    planted = replace(articles[0], slug="planted", markdown=twice)
    assert same_sentences([*articles, planted]) == ["choose the right one for you"]
    copied = replace(articles[0], slug="planted", markdown=articles[0].markdown.replace(". ", ", and "))
    assert same_runs([*articles, copied])[0].startswith(str(sorted([articles[0].slug, "planted"])))


def test_no_two_faqs_share_their_headings(articles: list[Article]) -> None:
    lead_ins = "**How.** Like this.\n\n## Costs\n\nNone."
    planted = [replace(articles[0], kind="faq", slug=slug, markdown=lead_ins) for slug in ("one", "two")]
    assert same_headings(articles) == []
    assert same_headings([*articles, *planted]) == ["['one', 'two']: ('How.', 'Costs')"]


def test_every_public_article_is_complete(articles: list[Article]) -> None:
    bare = replace(articles[0], slug="bare", audience="public", answer="word " * 61, questions=("a", "A", "b", "c", "d"), review_by=None, owner="")
    assert incomplete(articles) == []
    assert incomplete([*articles, bare]) == ["bare: phrasings", "bare: answer", "bare: review_by", "bare: owner"]


def test_there_are_enough_articles_of_each_kind(articles: list[Article]) -> None:
    tally = counts(articles)
    assert tally["faq"] >= 45
    assert tally["guide"] >= 20
    assert tally["branching"] >= 6
    assert tally["internal"] >= 4


def test_drafts_and_straight_guides_do_not_count(articles: list[Article]) -> None:
    guide = replace(next(article for article in articles if article.kind == "guide"), markdown="## Step 1: Wait\n\n- [Done](#x)\n- [Not done](#y)\n")
    assert counts([guide, replace(guide, status="draft"), replace(guide, audience="internal")]) == {"guide": 1, "internal": 1, "branching": 0}
