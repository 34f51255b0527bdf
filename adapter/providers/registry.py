"""The providers that come with the program. A new one is a new line here."""

from collections.abc import Sequence
from typing import Final

from adapter.providers.description import AnyProvider
from adapter.providers.flow.description import FLOW
from adapter.providers.gemini.description import GEMINI
from adapter.providers.omni.description import OMNI
from adapter.providers.vertex.description import VERTEX

#: In the order in which they are asked for what several of them make.
BUILT_IN: Final[Sequence[AnyProvider]] = (GEMINI, FLOW, OMNI, VERTEX)
