"""What known programs call themselves in `User-Agent` (reference: `frontends.md` section 2)."""

import re
from typing import Final

#: Its server; every other program that uses aiohttp says the same.
OPEN_WEBUI: Final = re.compile(r"Python/3\.\d+ aiohttp/")
SILLYTAVERN: Final = re.compile(r"node-fetch\b")
#: Electron's usual form, not observed.
CHERRY_STUDIO: Final = re.compile(r".*\bCherryStudio/")
#: LangChain's JavaScript client, and LibreChat, which is built on it.
LIBRECHAT: Final = re.compile(r"langchainjs-openai/")
#: Every client that names LangChain, LangChain4j too. The image wrapper for Python does so only if it is told to
#: (docs/libraries.md).
LANGCHAIN: Final = re.compile(r"langchain", re.IGNORECASE)
