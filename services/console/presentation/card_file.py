"""A model card as a file on disk, in the form that the file's suffix says."""

from pathlib import Path

from services.common.errors import ConfigurationError
from services.common.files import require_new, write_private
from services.console.presentation.model_card import FORMATS
from services.records.model_card import ModelCard


def write_card(path: Path, card: ModelCard, *, force: bool) -> None:
    """Write it; raises ConfigurationError for another suffix, and for a file that exists unless forced."""
    require_card_name(path)
    require_new(path, force=force)
    _content_type, written = FORMATS[path.suffix.lower()]
    write_private(path, written(card).encode(), replace=force)


def require_card_name(path: Path) -> None:
    """Raises ConfigurationError for a name that does not say how to write the card."""
    if path.suffix.lower() not in FORMATS:
        raise ConfigurationError(f"{path}: a card is written as {', '.join(FORMATS)}; give it such a name")
