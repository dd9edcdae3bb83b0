"""What the texts of one rule are."""

from dataclasses import dataclass

from app.texts.text import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleText:
    """The texts of one rule."""

    title: Text
    """The rule in a few words."""
    sentence: Text
    """What offends; a template over the facts of the refusal."""
    hint: Text
    """What to do."""


def texts(*, title: tuple[str, str], sentence: tuple[str, str], hint: tuple[str, str]) -> RuleText:
    """Return texts from pairs, each Italian first."""
    return RuleText(
        title=Text(it=title[0], en=title[1]),
        sentence=Text(it=sentence[0], en=sentence[1]),
        hint=Text(it=hint[0], en=hint[1]),
    )
