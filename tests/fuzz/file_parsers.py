"""What people hand over: rows, documents, configurations, key stores, models, accounts, forms."""

import io
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from protocol.bought_model import BoughtModel
from protocol.errors import MisuseError
from protocol.messages.examples import any_request
from services.common.documents import load_request, parse_yaml
from services.common.errors import ConfigurationError, DataSetError
from services.common.files import read_passphrase
from services.config.daemons import load
from services.console.auth.accounts import Accounts
from services.console.auth.security import masked, unmasks_to
from services.console.web.signin import local_path
from services.data.model_file import read_model
from services.data.row_reader import read_statistic
from services.identity.keystore import Cost, Keystore, public_identity
from tests.fuzz.parser import NoInput, Parser

ROOT = Path(__file__).parents[2]
PASSPHRASE = "a passphrase of tests"
CHEAP = Cost(scrypt_n=1 << 4, argon_passes=1, argon_bytes=1 << 14)
TOKEN = "ab" * 32
UNUSABLE = (ConfigurationError, MisuseError)
CSV = (b"age,bmi,y\r\n41,22.5,1e2\r\n7,30,-3\r\n", b'"a","b ""c"""\n1,2\n"3","4"\n')


def parsers() -> Iterator[Parser]:
    """Each with valid inputs."""
    yield Parser("csv", partial(_rows, "rows.csv"), (DataSetError,), lambda: list(CSV))
    yield Parser("parquet", partial(_rows, "rows.parquet"), (DataSetError,), _example_parquet)
    yield Parser("yaml", partial(parse_yaml, place="upload"), UNUSABLE, _example_documents)
    yield Parser("request file", partial(_file, load_request, "it.yaml"), UNUSABLE, _example_documents)
    yield Parser("configuration", partial(_file, load, "it.yaml"), UNUSABLE, _example_configurations)
    yield Parser("passphrase file", partial(_file, read_passphrase, "it"), UNUSABLE, lambda: [b"secret\n"])
    yield Parser("model file", partial(_file, read_model, "it.json"), UNUSABLE, _example_models, "json")
    yield Parser("accounts", partial(_file, _accounts, "it.json"), UNUSABLE, _example_accounts, "json")
    yield Parser("key store", _key_store, UNUSABLE, _example_key_stores, "json")
    yield Parser("form token", partial(_text, _form_token), (NoInput,), lambda: [masked(TOKEN).encode()])
    yield Parser("form path", partial(_text, _form_path), (NoInput,), lambda: [b"/trainings?page=2"])


@cache
def _folder() -> Path:
    """Private, and gone with this process."""
    folder = tempfile.TemporaryDirectory(prefix="deltaml-fuzz-")
    _kept.append(folder)
    return Path(folder.name)


_kept: list[tempfile.TemporaryDirectory[str]] = []


def _file(read: Callable[[Path], object], name: str, content: bytes) -> None:
    place = _folder() / name
    place.touch(mode=0o600)
    place.write_bytes(content)
    read(place)


def _rows(name: str, content: bytes) -> None:
    _file(read_statistic, name, content)


def _example_parquet() -> list[bytes]:
    output = io.BytesIO()
    pq.write_table(pa.table({"age": [41.0, 7.0], "y": [1, 2], "flag": [True, None]}), output)
    plain = io.BytesIO()
    pq.write_table(pa.table({"age": [41.0, 7.0], "y": [1, 2]}), plain, compression="none")
    return [output.getvalue(), plain.getvalue()]


def _example_documents() -> list[bytes]:
    return [yaml.safe_dump(any_request().model_dump(mode="json")).encode(), b"a: 1\nb: [1, {c: 0x10}]\n"]


def _example_configurations() -> list[bytes]:
    return [file.read_bytes() for file in sorted((ROOT / "deploy" / "config").glob("*.yaml"))]


def _example_models() -> list[bytes]:
    return [BoughtModel.of(any_request(), [0.5, -1.0, 2.0]).model_dump_json().encode()]


def _accounts(path: Path) -> object:
    return Accounts(path).all()


def _example_accounts() -> list[bytes]:
    return [
        b'{"ann": {"role": "viewer", "password": "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aA", "generation": 2}}'
    ]


@cache
def _store_file() -> Path:
    folder = _folder() / "keys"
    Keystore.create(folder, PASSPHRASE, cost=CHEAP)
    return next(file for file in folder.iterdir() if file.is_file())


def _example_key_stores() -> list[bytes]:
    return [_store_file().read_bytes()]


def _key_store(content: bytes) -> None:
    file = _store_file()
    file.write_bytes(content)
    file.chmod(0o600)
    public_identity(file.parent)
    _ = Keystore.open(file.parent, PASSPHRASE).identity


def _text(read: Callable[[str], object], content: bytes) -> None:
    try:
        read(content.decode())
    except UnicodeDecodeError as error:
        raise NoInput from error


def _form_token(given: str) -> bool:
    return unmasks_to(given, TOKEN)


def _form_path(given: str) -> str:
    found = local_path(given, "/")
    assert found.startswith("/")
    assert not found.startswith("//")
    return found
