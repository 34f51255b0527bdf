"""Side calls: what a chat program asks a model beside the conversation, such as a title for it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

#: Characters of a text that are looked at for a phrase.
HEAD_CHARACTERS = 20_000
#: Characters that a `*` of a phrase stands for at most.
GAP_CHARACTERS = 200
#: Letters that a phrase has at least, so that it says something: seven Chinese ones are a sentence.
FEWEST_LETTERS = 4


class SideCallKind(StrEnum):
    """What is asked for."""

    TITLE = "title"
    TAGS = "tags"
    FOLLOW_UPS = "follow_ups"
    #: Search queries, or whether to search at all.
    QUERIES = "queries"
    AUTOCOMPLETE = "autocomplete"
    EMOJI = "emoji"
    IMAGE_PROMPT = "image_prompt"
    SUMMARY = "summary"
    #: Which tools to call.
    TOOLS = "tools"
    #: The mood of a message, as one word.
    EMOTION = "emotion"
    LANGUAGE = "language"
    #: The last answer once more, as a text or in another form.
    RETRY = "retry"


class SideCall(msgspec.Struct, frozen=True, kw_only=True):
    """A request that wants a few words, and no picture or video."""

    kind: SideCallKind
    #: What the user said in the conversation that it is about, the first first; as far as that can be told.
    said: tuple[str, ...] = ()
    #: The members of the JSON object that is expected, and whether each is a list. None: plain text is expected.
    members: Mapping[str, bool] = {}


class Phrasebook:
    """The phrases by which side calls are recognised."""

    def __init__(self, phrases: Mapping[SideCallKind, Sequence[str]]) -> None:
        """Read phrases by their kinds; none at all means that nothing is known.

        A phrase is what a text begins with: capitals, white space and asterisks of Markdown do not count, and a `*`
        stands for up to 200 characters. Between slashes it is a regular expression instead.

        Raises:
            ValueError: a phrase that cannot be read, or would fit almost everything.
        """
        self._patterns = [*_compiled(phrases)]

    def kind_of(self, text: str) -> SideCallKind | None:
        """Return which kind of side call a text begins as; None if it does not."""
        if not self._patterns:
            return None
        head = _plain(text[:HEAD_CHARACTERS])
        return next((kind for kind, pattern in self._patterns if pattern.match(head)), None)


def _plain(text: str) -> str:
    return " ".join(text.replace("*", "").split()).lower()


def _compiled(phrases: Mapping[SideCallKind, Sequence[str]]) -> Iterator[tuple[SideCallKind, re.Pattern[str]]]:
    for kind, several in phrases.items():
        for number, phrase in enumerate(several):
            try:
                yield kind, _pattern(phrase)
            except (re.error, ValueError) as error:
                raise ValueError(f"{kind}[{number}]: '{phrase}': {error}") from error


def _pattern(phrase: str) -> re.Pattern[str]:
    if len(phrase) > 2 and phrase[0] == phrase[-1] == "/":
        pattern = re.compile(phrase[1:-1], re.IGNORECASE)
        if pattern.match(""):
            raise ValueError("it fits every text")
        return pattern
    if sum(map(str.isalpha, phrase)) < FEWEST_LETTERS:
        raise ValueError(f"a phrase has at least {FEWEST_LETTERS} letters, or it fits too much")
    return re.compile(f".{{0,{GAP_CHARACTERS}}}?".join(re.escape(_plain(part)) for part in phrase.split("*")))
