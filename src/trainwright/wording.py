"""Counts and sizes in words."""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 picture`, `1,200 pictures`, `2 classes`.

    Args:
        count: How many there are.
        one: The noun, and perhaps a verb, for one.
        many: The same for several; the noun with an `s` when absent.
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def size_text(count: float) -> str:
    """Bytes as a person says them: `800 B`, `1.5 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


_OF_ONE = {
    "are": "is", "have": "has", "were": "was", "do": "does", "differ": "differs", "lie": "lies",
    "look": "looks", "reach": "reaches", "carry": "carries", "repeat": "repeats", "share": "shares",
    "name": "names", "count": "counts",
    "show": "shows", "lead": "leads", "need": "needs", "fall": "falls", "claim": "claims",
    "stand": "stands", "mark": "marks", "hold": "holds",
}  # fmt: skip
_PRONOUNS = {"they": "it", "their": "its", "them": "it", "themselves": "itself"}
_NOUN_WITHIN = 3  # words at the front, without a verb among them
_LINKS = frozenset(
    ("of", "in", "with", "without", "that", "which", "from", "beyond", "by", "at", "under", "among")
)


def with_count(count: int, phrase: str) -> str:
    """A number before a phrase in the plural: `3 boxes reach beyond ...`, and `1 box reaches beyond ...`.

    Args:
        count: How many there are.
        phrase: What is said of several, the noun first.
    """
    return f"{count:,} {phrase if count != 1 else of_one(phrase)}"


def of_one(phrase: str) -> str:
    """A phrase in the plural as it is said of one: noun, verbs and pronouns."""
    words = phrase.split(" ")
    verbs = [place for place, word in enumerate(words) if word.strip(",;") in _OF_ONE]
    links = [place for place, word in enumerate(words) if word in _LINKS]
    end = min([*verbs, *links, len(words), _NOUN_WITHIN])
    for place in range(end - 1, -1, -1):
        if words[place].rstrip(",;").endswith("s"):
            words[place] = _singular(words[place])
            break
    for place, word in enumerate(words):
        bare = word.rstrip(",;")
        # Behind the first clause a verb belongs to something else, unless a pronoun leads it.
        own = place == (verbs[0] if verbs else -1) or (place and words[place - 1] in ("and", "it", "or"))
        if bare in _PRONOUNS:
            words[place] = word.replace(bare, _PRONOUNS[bare])
        elif bare in _OF_ONE and own:
            words[place] = word.replace(bare, _OF_ONE[bare])
        elif place > 1 and words[place - 2 : place] == ["is", "no"] and bare.endswith("s"):
            words[place] = _singular(word)
    return " ".join(words)


def _singular(noun: str) -> str:
    bare = noun.rstrip(",;")
    rest = noun[len(bare) :]
    if bare == "series":
        return noun
    if bare.endswith("ies"):
        return f"{bare[:-3]}y{rest}"
    if bare.endswith(("sses", "xes", "ches", "shes")):
        return f"{bare[:-2]}{rest}"
    return f"{bare[:-1]}{rest}"


def in_one_line(error: BaseException, most: int = 300) -> str:
    """Type and text of an exception in one line, cut behind `most` letters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = ": ".join([type(error).__name__, *([" / ".join(lines)] if lines else [])])
    return text if len(text) <= most else f"{text[:most]}..."
