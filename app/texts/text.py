"""stop"""

from dataclasses import dataclass
from typing import Literal

Lang = Literal["it", "en"]


@dataclass(frozen=True)
class Text:
    it: str
    en: str

    def in_(self, lang: Lang) -> str:
        return self.it if lang == "it" else self.en
