"""How a finished video is shown in a chat. No form plays everywhere (reference: `frontends.md` section 1)."""

from enum import StrEnum


class Markup(StrEnum):
    """The forms, by the words with which they are asked for."""

    #: A picture of it and a link, which every program shows.
    MARKDOWN = "markdown"
    #: A block that Open WebUI, LobeChat and SillyTavern turn into a player, and the link.
    HTML = "html"
    #: The same inside of a `<div>`, without which Cherry Studio shows no player.
    DIV = "div"
    #: The form that the requesting program is known to play.
    AUTO = "auto"
