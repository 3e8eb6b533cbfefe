"""What a market's folder remembers of how it was set up, in `market.yaml`: later commands need no options."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError, field_validator

from services.admin.market_documents import MarketPlan
from services.admin.market_folder import REQUEST, yaml_text
from services.admin.market_servers import OwnServers
from services.common.documents import read_yaml
from services.common.errors import ConfigurationError
from services.common.files import write_private
from services.config.settings import Settings, without_rounds

RECORD = "market.yaml"
_REMARK = "How deltaml admin market set this market up; its commands read and write it."


class MarketRecord(Settings):
    """The plan as it was carried out, and what has changed since.

    `own` are the servers that are the market's own. `added` are the parties that came later, `replaced` those
    whose place another took, `order` is the newest sample order in the buyer's folder.
    """

    plan: MarketPlan
    own: OwnServers = OwnServers()
    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    order: str = REQUEST

    @field_validator("plan", mode="before")
    @classmethod
    def _of_an_earlier_version(cls, plan: Any) -> Any:
        """How rounds are run stood there, and before that whether they are checked, as yes or no."""
        if not isinstance(plan, dict):
            return plan
        rest = {name: value for name, value in plan.items() if name != "checked"}
        rounds = {"rounds": "checked" if plan["checked"] else "plain"} if "checked" in plan else {}
        try:
            return without_rounds({**rounds, **rest})
        except ValueError as error:
            raise ConfigurationError(f"{RECORD}: {error}") from None

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The record in a folder; raises ConfigurationError where there is none, or it is damaged."""
        found = cls.find(folder)
        if found is None:
            raise ConfigurationError(
                f"{folder} has no {RECORD}: set the market up, or finish that, with deltaml admin market "
                "init; for one of an earlier version run the same init once more"
            )
        return found

    @classmethod
    def find(cls, folder: Path) -> Self | None:
        """As `of`, but None where there is none."""
        file = folder / RECORD
        if not file.exists():
            return None
        try:
            record = cls.model_validate(read_yaml(file), strict=False)
        except ValidationError:
            raise ConfigurationError(f"{file} is damaged; put a backup in its place") from None
        return record.moved_to(folder)

    def moved_to(self, folder: Path) -> Self:
        """This record for a folder that may have been moved: its files are named where they are now."""
        before = self.plan.folder
        inside: dict[str, object] = {
            one.name: folder / path.relative_to(before)
            for one in fields(self.plan)
            if isinstance(path := getattr(self.plan, one.name), Path) and path.is_relative_to(before)
        }
        return self.with_plan(**{**inside, "folder": folder})

    def with_plan(self, **changes: object) -> Self:
        """This record with changes of its plan."""
        return self.model_copy(update={"plan": replace(self.plan, **changes)})  # type: ignore[arg-type]

    def save(self) -> None:
        """Write it into the plan's folder."""
        write_private(self.plan.folder / RECORD, yaml_text(self.model_dump(mode="json"), _REMARK))
