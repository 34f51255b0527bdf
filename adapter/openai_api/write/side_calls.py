"""Free answers to side calls: a few of the user's own words, in the form that the program reads."""

import re
from collections.abc import Callable, Mapping

import msgspec

from adapter.domain.side_calls import SideCall, SideCallKind

#: A title has up to so many words and characters; languages without spaces get characters alone.
TITLE_WORDS = 6
TITLE_CHARACTERS = 48
TITLE_LETTERS_WITHOUT_SPACES = 16
#: A title does not end with one of these short words.
SHORT_WORD = 3
PREPOSITIONS = frozenset({"with", "from", "into", "onto", "over", "under", "through"})
TAGS = 3
TAG_LETTERS = 4
#: Of a prompt that is handed back, and of one in a summary.
PROMPT_CHARACTERS = 1000
LINE_CHARACTERS = 200
SUMMARY_LINES = 20

#: The message when there is nothing to do. It is a text, because some agents take an empty message for no answer.
NOTHING_NEW = (
    "What was asked for is in the answer before this one. "
    "Nothing new was made, because no message of the user came after it."
)

_NOISE = re.compile(
    r"""data:[a-z]+/\S+ | https?://\S+ | <[^<>]{1,200}>
    | (?:^|(?<=\s))--[a-z]+(?:[ =][\w:.]+)?""",
    re.VERBOSE | re.IGNORECASE,
)
_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_CLAUSE = re.compile(r"[.!?;:,。！？；：，、\n]+(?:\s|$)|[。！？；：，、\n]")
#: The beginning of an English request that is no part of a title.
_WISH = re.compile(
    r"^(?:please )?(?:(?:can|could) you )?(?:please )?(?:make|create|generate|draw|paint|show|film)(?: me)?"
    r" (?:an? |the )?(?:video|clip|film|picture|image|photo|drawing|painting) (?:of|with|showing|about) ",
    re.IGNORECASE,
)
_MARKS = " \t\n\"'`“”‘’«»„*_#>-–—.,;:!?。，、！？；：…"

_EMOJI = {"video": "🎬", "image": "🖼️"}


def side_answer(call: SideCall, medium: str) -> str:
    """Return the answer for a model that makes `video`s or `image`s."""
    if call.members:
        return msgspec.json.encode(
            {name: _member(name, call, medium, many) for name, many in call.members.items()}
        ).decode()
    return _PLAIN[call.kind](call, medium)


def make_title(text: str, otherwise: str) -> str:
    """Return a title from the first words of a text, in their own language, cut where a clause or a word ends."""
    text = _WISH.sub("", _cleaned(text))
    clause = _CLAUSE.split(text, maxsplit=1)[0].strip(_MARKS)
    chosen = clause if len(clause.split()) > 1 or _is_spaceless(clause) else text
    words = chosen.split()
    if len(words) > TITLE_WORDS or len(chosen) > TITLE_CHARACTERS:
        words = words[:TITLE_WORDS]
        while len(" ".join(words)) > TITLE_CHARACTERS and len(words) > 1:
            words.pop()
        while len(words) > 2 and _is_torn_off(words[-1]):
            words.pop()
    longest = TITLE_LETTERS_WITHOUT_SPACES if _is_spaceless(chosen) else TITLE_CHARACTERS
    title = " ".join(words)[:longest].strip(_MARKS)
    return title[:1].upper() + title[1:] if title else otherwise


def _is_torn_off(word: str) -> bool:
    return word in PREPOSITIONS or (len(word) <= SHORT_WORD and word.islower())


def _cleaned(text: str) -> str:
    text = _NOISE.sub(" ", _LINK.sub(r"\1", _PICTURE.sub(" ", text[:PROMPT_CHARACTERS])))
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip()).strip(_MARKS)


def _is_spaceless(text: str) -> bool:
    """Return whether the script of a text has no spaces between words."""
    return any("\u0e00" <= letter <= "\u0e7f" or "\u3040" <= letter <= "\u9fff" for letter in text)


def _title(call: SideCall, medium: str) -> str:
    return make_title(call.said[0] if call.said else "", medium.capitalize())


def _tags(call: SideCall, medium: str) -> list[str]:
    words = re.findall(r"[^\W\d_]+", _title(call, medium).lower())
    long = [word for word in words if len(word) >= TAG_LETTERS and word != medium and not _is_spaceless(word)]
    return [medium, *dict.fromkeys(sorted(long, key=len, reverse=True))][:TAGS]


def _prompt(call: SideCall, _medium: str) -> str:
    return " ".join(_cleaned(call.said[-1]).split()) if call.said else ""


def _summary(call: SideCall, _medium: str) -> str:
    lines = (" ".join(_cleaned(text).split())[:LINE_CHARACTERS] for text in call.said[:SUMMARY_LINES])
    return "\n".join(f"- {line}" for line in lines if line)


#: What is answered as text. No program reads an empty one as a mistake, and Cherry Studio searches for nothing then.
_PLAIN: Mapping[SideCallKind, Callable[[SideCall, str], str]] = {
    SideCallKind.TITLE: _title,
    SideCallKind.TAGS: lambda call, medium: ", ".join(_tags(call, medium)),
    SideCallKind.FOLLOW_UPS: lambda _call, _medium: "",
    SideCallKind.QUERIES: lambda _call, _medium: "not_needed",
    SideCallKind.AUTOCOMPLETE: lambda _call, _medium: "",
    SideCallKind.EMOJI: lambda _call, medium: _EMOJI[medium],
    SideCallKind.IMAGE_PROMPT: _prompt,
    SideCallKind.SUMMARY: _summary,
    SideCallKind.TOOLS: lambda _call, _medium: '{"tool_calls":[]}',
    SideCallKind.EMOTION: lambda _call, _medium: "neutral",
    SideCallKind.LANGUAGE: lambda _call, _medium: "English",
    SideCallKind.RETRY: lambda _call, _medium: NOTHING_NEW,
}


def _member(name: str, call: SideCall, medium: str, many: bool) -> str | list[str]:
    """Return the value of a JSON member. Suggestions stay empty: a click on one would be a paid request."""
    if many:
        return _tags(call, medium) if name == "tags" else []
    match name:
        case "title":
            return _title(call, medium)
        case "prompt":
            return _prompt(call, medium)
        case "summary" | "description":
            return _summary(call, medium)
        case "action":
            return "proceed"
        case "language":
            return "English"
        case "emoji":
            return _EMOJI[medium]
        case _:
            return ""
