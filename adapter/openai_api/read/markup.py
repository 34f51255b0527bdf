"""How a client wants videos shown, and what of that comes back in its messages."""

import re
from collections.abc import Iterable
from typing import Final

from adapter.domain.catalogue import Catalogue, VideoCard
from adapter.domain.markup import Markup
from adapter.domain.media_links import MediaLinks
from adapter.openai_api.read.agents import CHERRY_STUDIO, OPEN_WEBUI, SILLYTAVERN
from adapter.openai_api.read.fields import one_of, required
from adapter.openai_api.wire.chat import ChatRequest

#: Programs whose player is known. LobeChat calls itself what every program with OpenAI's client does, so it cannot be
#: told.
AGENTS: Final = ((OPEN_WEBUI, Markup.HTML), (SILLYTAVERN, Markup.HTML), (CHERRY_STUDIO, Markup.DIV))


def split_model(name: str, catalogue: Catalogue) -> tuple[str, Markup | None]:
    """Take the wish for a markup off the name of a video model (`veo-3.1-fast-portrait:html`)."""
    plain, colon, ending = name.rpartition(":")
    if not colon or ending not in set(Markup) or not isinstance(catalogue.find(plain).card, VideoCard):
        return name, None
    return plain, Markup(ending)


def asked_markup(body: ChatRequest, catalogue: Catalogue) -> Markup | None:
    """Return what a request asks for: in its own field, else by its model's name.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: there is no such form, or no model.
    """
    by_name = split_model(required(body.media.model, "model"), catalogue)[1]
    if body.video_markup is None:
        return by_name
    return Markup(one_of(body.video_markup, [form.value for form in Markup], body.called("video_markup")))


def choose_markup(wishes: Iterable[Markup | None], agent: str) -> Markup:
    """Return the form of the first wish that there is; `auto` goes by the program's User-Agent."""
    wished = next((wish for wish in wishes if wish is not None), Markup.AUTO)
    if wished is not Markup.AUTO:
        return wished
    return next((form for known, form in AGENTS if known.match(agent)), Markup.MARKDOWN)


def without_videos(text: str, links: MediaLinks) -> str:
    """Take out of a text what we answered with earlier: a quoted video is neither words nor a picture to work from.

    Chats are kept for years, so earlier forms count too: a poster that was no link, a link that did not save the file.
    """
    if "/media/" not in text:
        return text
    file = re.escape(links.base) + r"[0-9A-Za-z_-]{1,64}\."
    video = file + "mp4"
    opened = rf"\[Open video\]\({video}\)"
    link = rf"\[Download video\]\({video}(?:\?download=1)?\)"
    plain_poster = rf"!\[Video preview\]\({file}[a-z]{{3,4}}\)"
    poster = rf"\[{plain_poster}\]\({video}\)"
    head = rf'<video src="{video}" controls="controls"(?: width="100%")?>'
    player = rf"(?:<div>)?{head}\s{{0,2}}(?:{video}\s{{0,2}})?</video>(?:</div>)?"
    shown = rf"{poster}|{player}|{opened}"
    return re.sub(rf"(?:(?:{shown}|{plain_poster})\s{{0,4}})?{link}|{shown}", "", text).strip()
