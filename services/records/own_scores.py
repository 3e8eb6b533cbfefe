"""The scores of a bought model on its buyer's own rows, kept beside the model: figures, never rows."""

from pydantic import ValidationError

from services.data.own_scores import OwnScores
from services.store import Store

_PREFIX = "own_scores/"


def keep_scores(store: Store, key: str, scores: OwnScores | None) -> None:
    """Keep the scores of a training's model in the place of earlier ones; None forgets them."""
    store.put_value(_PREFIX + key, None if scores is None else scores.model_dump_json().encode())


def kept_scores(store: Store, key: str) -> OwnScores | None:
    """What was kept last; None where the model was not scored, or what was kept cannot be shown."""
    content = store.values(_PREFIX + key).get("")
    try:
        return None if content is None else OwnScores.model_validate_json(content)
    except ValidationError:
        return None
