"""What trainers carry from round to round, under encryption and in plain numbers."""

from gmpy2 import mpz
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.crypto.paillier import PrivateKey
from protocol.learning.scales import MODEL_SCALE
from protocol.roles.rounds.carried import CarriedModels
from protocol.vectors import EncryptedVector
from tests.support.proofs import private_key

KEY = private_key(512)
NAMES = ("0x" + "11" * 20, "0x" + "22" * 20)
WEIGHTS = st.lists(st.integers(-(1 << 70), 1 << 70), min_size=2, max_size=2)


def encrypted(key: PrivateKey, values: list[int]) -> list[mpz]:
    return [key.public_key.lift(value) for value in values]


def vector(values: list[int]) -> EncryptedVector:
    return EncryptedVector.of(KEY.public_key, encrypted(KEY, values), MODEL_SCALE)


def opened(one: EncryptedVector) -> list[int]:
    n = int(KEY.public_key.n)
    read = one.read(KEY.public_key, scale=MODEL_SCALE, count=len(one.ciphertexts))
    return [value - n if value > n // 2 else value for value in map(int, KEY.decrypt_all(read))]


@given(*[WEIGHTS] * 5)
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_carried_on_is_that_of_plain_integers(
    own: list[int], mean: list[int], after: list[int], first: list[int], second: list[int]
) -> None:
    """One has a dual and one starts at the mean: w + 2z′ − z − θ of each."""
    before, key = CarriedModels(trainers=NAMES[:1], models=(vector(own),)), KEY.public_key
    rescaled = [encrypted(KEY, first), encrypted(KEY, second)]
    found = before.after(key, NAMES, vector(mean), encrypted(KEY, after), rescaled)
    assert found.trainers == NAMES
    for one, start, local in zip(found.models, (own, mean), (first, second), strict=True):
        rows = zip(start, after, mean, local, strict=True)
        assert opened(one) == [w + 2 * z_after - z - theta for w, z_after, z, theta in rows]


def test_nothing_is_carried_on_without_one_that_carried_or_where_models_are_averaged() -> None:
    before = CarriedModels(trainers=NAMES, models=(vector([1, 2]), vector([3, 4])))
    rest = (vector([0, 0]), encrypted(KEY, [0, 0]))
    assert before.after(KEY.public_key, NAMES[1:], *rest, [encrypted(KEY, [1, 1])]) == CarriedModels()
    assert before.after(KEY.public_key, NAMES, *rest, []) == CarriedModels()
