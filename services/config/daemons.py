"""Each daemon's configuration: a YAML file with paths relative to it and passwords elsewhere.

A password in a configuration ends up in backups and screenshots, so no field takes one, and a URL that holds
one is refused. An unknown key is refused too: a misspelt `confirmation: 30` must not leave the
default in force.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, overload

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from protocol.asset import MOST_DECIMALS, SYMBOL, Assets, token_asset
from protocol.bond_policy import BondPolicy
from protocol.errors import MisuseError
from protocol.marketplace import PartyRole
from protocol.messages.market import MOST_AGGREGATORS
from protocol.owner_policy import OwnerPolicy
from protocol.records import Market
from protocol.types import Name, repeated
from services.common.accents import composed
from services.common.documents import read_yaml
from services.common.errors import ConfigurationError
from services.common.files import read_passphrase
from services.common.problems import lines_of
from services.config.admission import BuyerAdmission
from services.config.console import ConsoleSettings
from services.config.settings import FOLDER, Account, FilePath, Settings, store_url, url_of, without_rounds

Kind = Literal["model-buyer", "data-owner", "aggregator", "chain-listener"]


class Broker(Settings):
    """The connection to RabbitMQ."""

    url: Annotated[str, url_of("amqp", "amqps")] = Field(
        description="amqp://user@host:5672/vhost, amqps:// for TLS; without a password."
    )
    password_file: FilePath | None = Field(None, description="File whose first line is the user's password.")
    ca_file: FilePath | None = Field(
        None, description="Authorities (PEM) that may have signed the broker's key."
    )
    certificate_file: FilePath | None = Field(None, description="Our certificate (PEM), for mutual TLS.")
    key_file: FilePath | None = Field(None, description="The certificate's private key (PEM).")


MOST_CONFIRMATIONS = 200
"""The contract knows the hash of the draw's block for 256 blocks: with more no owner reveals in time."""


class Chain(Settings):
    """The node and the contract on it."""

    url: Annotated[str, url_of("http", "https")] = Field(
        description="The JSON-RPC URL of a node that you trust: contract events are believed by its word."
    )
    websocket_url: Annotated[str, url_of("ws", "wss")] | None = Field(
        None, description="The node's websocket URL, to learn of new blocks at once."
    )
    chain_id: int = Field(ge=1, description="The chain's number; a node of another chain is refused.")
    contract: Account = Field(description="The marketplace's address.")
    first_block: int = Field(0, ge=0, description="The block that the contract was deployed in.")
    confirmations: int = Field(
        12,
        ge=0,
        le=MOST_CONFIRMATIONS,
        description="Blocks on top that make a block final; 0 on a chain without forks, above 127 with an "
        "archive node alone.",
    )
    poll_seconds: float = Field(2.0, gt=0, le=600, description="Time between two looks at the node.")

    @property
    def market(self) -> Market:
        """Which contract on which chain."""
        return Market(chain_id=self.chain_id, contract=self.contract)


class Log(Settings):
    """What is logged, and how."""

    style: Literal["json", "console"] = Field(
        "json", description="One JSON object a line, or text for people."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe level that is logged."
    )


class Traces(Settings):
    """Where traces go."""

    endpoint: Annotated[str, url_of("http", "https")] | None = Field(
        None, description="OTLP/HTTP URL of an OpenTelemetry collector; without one nothing is traced."
    )
    sample_ratio: float = Field(1.0, ge=0, le=1, description="The share of all traces that is kept.")


class Daemon(Settings):
    """What all daemons need."""

    broker: Broker = Field(description="The connection to RabbitMQ.")
    chain: Chain = Field(description="The node and the contract on it.")
    store: Annotated[str, AfterValidator(store_url)] = Field(
        "state.sqlite",
        description="Path of the SQLite file that holds the daemon's state, or a PostgreSQL URL.",
    )
    store_password_file: FilePath | None = Field(
        None, description="File whose first line is PostgreSQL's password; by default .pgpass is looked at."
    )
    retention_days: float = Field(
        90.0, ge=31, description="Days after a training's end before its ciphertexts and message ids go."
    )
    log: Log = Field(Log(), description="What is logged, and how.")
    metrics_port: int | None = Field(
        None, ge=1, le=65535, description="Port of /metrics and /health; none by default."
    )
    metrics_host: str = Field(
        "127.0.0.1",
        description="Address of this machine that the port is opened on; loopback alone by default.",
    )
    metrics_names: tuple[str, ...] = Field(
        (), description="Names with a dot by which metrics are asked for, such as owner.metrics.svc."
    )

    _file: Path | None = PrivateAttr(None)

    @property
    def file(self) -> Path | None:
        """Where this was read from; None for what was made in a program."""
        return self._file

    def store_password(self) -> str | None:
        """PostgreSQL's password from its file; raises ConfigurationError for one that others can read."""
        return None if self.store_password_file is None else read_passphrase(self.store_password_file)


def _each_name_once(names: dict[str, str]) -> dict[str, str]:
    twice = sorted(name for name, count in Counter(names.values()).items() if count > 1)
    if twice:
        raise ValueError(f"the name {twice[0]!r} is given to two parties")
    return names


class KnownToken(Settings):
    """A token that figures are written in; when a daemon starts, the token must say the same of itself."""

    address: Account = Field(description="The token's address.")
    symbol: Annotated[str, Field(pattern=SYMBOL)] = Field(
        description="What figures are followed by, as the token says."
    )
    decimals: int = Field(ge=0, le=MOST_DECIMALS, description="Of a whole token, as the token says.")
    worth_wei: int = Field(
        0,
        ge=0,
        description="What a whole token is worth to you: a false opening is shown to the contract "
        "where the gas for it costs less than the bond in this token is worth.",
    )


def _each_token_once(tokens: tuple[KnownToken, ...]) -> tuple[KnownToken, ...]:
    for what in ("address", "symbol"):
        twice = repeated(getattr(token, what).casefold() for token in tokens)
        if twice is not None:
            raise ValueError(f"two tokens have the {what} {twice!r}")
    try:
        assets_of(tokens)
    except MisuseError as error:
        raise ValueError(str(error)) from None
    return tokens


def assets_of(tokens: Iterable[KnownToken]) -> Assets:
    """What figures are written in. Raises MisuseError for a symbol of the chain's own coin."""
    return Assets({token.address: token_asset(token.symbol, token.decimals) for token in tokens})


class Participant(Daemon):
    """What a daemon with an identity needs."""

    keystore: FilePath = Field(description="Folder of the key store; make it with: deltaml keys create.")
    passphrase_file: FilePath = Field(description="File whose first line is the key store's passphrase.")
    traces: Traces = Field(Traces(), description="Where traces go.")
    workers: int | None = Field(
        None, ge=0, le=256, description="Processes for the arithmetic; by default one a core, 0 for none."
    )
    console: ConsoleSettings | None = Field(None, description="The web console; none by default.")
    names: Annotated[dict[Account, Name], AfterValidator(_each_name_once)] = Field(
        {}, max_length=10_000, description="Names of other parties by address, shown beside it."
    )
    tokens: Annotated[tuple[KnownToken, ...], AfterValidator(_each_token_once)] = Field(
        (),
        max_length=1_000,
        description="Tokens whose amounts are shown in whole ones; of others smallest units are shown.",
    )

    _of_an_earlier_version = model_validator(mode="before")(without_rounds)

    @property
    def assets(self) -> Assets:
        """What amounts are written in."""
        return assets_of(self.tokens)

    def worth_of(self, token: str, amount: int) -> int:
        """How many wei this many smallest units of a token are worth; none where nothing says so."""
        worth: dict[str, int] = {
            one.address: one.worth_wei * amount // 10**one.decimals for one in self.tokens
        }
        return worth.get(token, 0)


class OpenParticipant(Participant):
    """What a daemon needs whose trainings others start."""

    most_trainings: int = Field(
        1024, ge=1, le=100_000, description="Trainings under way at once; further openings are left alone."
    )
    most_trainings_of_a_buyer: int = Field(
        64, ge=1, le=100_000, description="Of these, trainings of one buyer: anybody may open one."
    )


class StandingOrder(Settings):
    """A training that is ordered again and again."""

    request: FilePath = Field(description="The request, read anew each time; the date is added to its name.")
    every_hours: float = Field(gt=0, le=8784, description="Once in each such period, the first at once.")


class ModelBuyerConfig(Participant):
    """The model buyer's daemon: whom it asks what is on offer, and what it orders unasked."""

    daemon: Literal["model-buyer"] = Field(description="Which daemon this file is for.")
    aggregators: tuple[Account, ...] = Field(
        (), max_length=MOST_AGGREGATORS, description="The aggregators to ask what is on offer."
    )
    standing_orders: tuple[StandingOrder, ...] = Field(
        (), max_length=100, description="Trainings to order on a schedule."
    )
    admission: BuyerAdmission = Field(
        BuyerAdmission(), description="Which owners that the aggregator admits may take a seat."
    )

    @field_validator("admission")
    @classmethod
    def _of_known_owners(cls, admission: BuyerAdmission, info: ValidationInfo) -> BuyerAdmission:
        try:
            admission.policy(info.data.get("names", {}))
        except ConfigurationError as error:
            raise ValueError(str(error)) from None
        return admission


class DataOwnerConfig(OpenParticipant):
    """A data owner's daemon: its data sets, the aggregators it trusts, its standing decision."""

    daemon: Literal["data-owner"] = Field(description="Which daemon this file is for.")
    catalogue: FilePath = Field(
        Path("datasets"), description="Folder of the data sets; fill it with: deltaml datasets add."
    )
    aggregators: tuple[Account, ...] = Field(min_length=1, description="The aggregators to work with.")
    policy: Annotated[OwnerPolicy, BeforeValidator(composed)] = Field(
        OwnerPolicy(), description="Which trainings to join without a person's decision."
    )


class AggregatorConfig(OpenParticipant):
    """The aggregator's daemon: the owners it admits, the bonds it deposits."""

    daemon: Literal["aggregator"] = Field(description="Which daemon this file is for.")
    admitted: tuple[Account, ...] = Field(
        min_length=4, description="The owners to admit; a buyer's straw man among them would see the model."
    )
    bonds: Annotated[BondPolicy, BeforeValidator(composed)] = Field(
        BondPolicy(), description="The bonds that it deposits; a request that asks it for more is refused."
    )


class ChainListenerConfig(Daemon):
    """The chain listener: it publishes the contract's events and needs no key."""

    daemon: Literal["chain-listener"] = Field(description="Which daemon this file is for.")
    window: int = Field(128, ge=1, le=10_000, description="Recent blocks remembered to recognise a fork.")


Config = ModelBuyerConfig | DataOwnerConfig | AggregatorConfig | ChainListenerConfig

ParticipantConfig = ModelBuyerConfig | DataOwnerConfig | AggregatorConfig

ROLES: dict[Kind, PartyRole] = {
    "model-buyer": "model_buyer",
    "data-owner": "data_owner",
    "aggregator": "federated_aggregator",
}
"""What the participants are for the protocol."""

KINDS: dict[Kind, type[Daemon]] = {
    "model-buyer": ModelBuyerConfig,
    "data-owner": DataOwnerConfig,
    "aggregator": AggregatorConfig,
    "chain-listener": ChainListenerConfig,
}


@overload
def load(path: Path | str, kind: None = None) -> Config: ...
@overload
def load(path: Path | str, kind: Literal["model-buyer"]) -> ModelBuyerConfig: ...
@overload
def load(path: Path | str, kind: Literal["data-owner"]) -> DataOwnerConfig: ...
@overload
def load(path: Path | str, kind: Literal["aggregator"]) -> AggregatorConfig: ...
@overload
def load(path: Path | str, kind: Literal["chain-listener"]) -> ChainListenerConfig: ...
def load(path: Path | str, kind: Kind | None = None) -> Any:
    """The configuration in a file: that of `kind`, or of any daemon.

    Raises ConfigurationError naming every key that is unknown, missing or wrong, and its remedy.
    """
    path = Path(path)
    document = read_yaml(path)
    daemon = document.get("daemon")
    if not isinstance(daemon, str) or daemon not in KINDS:
        raise ConfigurationError(f"{path}: daemon: must be one of {', '.join(KINDS)}")
    if kind is not None and daemon != kind:
        raise ConfigurationError(f"{path} configures the daemon {daemon}; give the file of {kind}")
    model = KINDS[daemon]
    try:
        # The policy is the protocol's own type, which takes no list for a tuple unless it is told to.
        config = model.model_validate(document, strict=False, context={FOLDER: path.absolute().parent})
    except ValidationError as error:
        lines = lines_of(error, model)
        raise ConfigurationError(f"{path} cannot be used:\n  " + "\n  ".join(lines)) from None
    config._file = path.absolute()  # noqa: SLF001  our own
    return config
