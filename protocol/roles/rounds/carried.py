"""What each trainer is sent where trainers carry duals, made by everybody of what a round's evidence shows.

Nobody is told it: the aggregator has nothing to choose, and an update of any other model names another start.
"""

from collections.abc import Sequence

from protocol.crypto.cipher import Ciphertext, PublicKey, batch_invert
from protocol.learning.consensus import Carried
from protocol.learning.scales import MODEL_SCALE
from protocol.types import Address, FrozenModel
from protocol.vectors import EncryptedVector


class CarriedModels(FrozenModel):
    """The content of a blob: Enc(w_t), scale f, of those that carry a dual into a round, in seat order.

    Nobody does in the first round, and where models are averaged.
    """

    trainers: tuple[Address, ...] = ()
    models: tuple[EncryptedVector, ...] = ()

    @property
    def carried(self) -> Carried[EncryptedVector]:
        """As `learning.consensus` has them."""
        return Carried(self.trainers, self.models)

    def of(self, trainer: str, mean: EncryptedVector) -> EncryptedVector:
        """What a trainer is sent in the round that starts from `mean`."""
        return self.carried.of(trainer, mean)

    def after(
        self,
        key: PublicKey,
        answered: Sequence[str],
        mean: EncryptedVector,
        next_mean: Sequence[Ciphertext],
        rescaled: Sequence[Sequence[Ciphertext]],
    ) -> "CarriedModels":
        """What is carried into the next round by those who have answered, in seat order.

        `mean` is the model that the round started from, `next_mean` the one after it, and `rescaled` θ̂_t of
        each, all of them checked ciphertexts of scale f; without `rescaled` nobody carries anything.
        """
        if not rescaled or not self.carried.continues(answered):
            return CarriedModels()
        start = _read(key, mean)
        pairs = _with_inverses(key, next_mean, start)
        turned = [key.add(new, new) * old % key.n_squared for new, old in pairs]
        models = []
        for trainer, less in zip(answered, rescaled, strict=True):
            own = _read(key, self.of(trainer, mean))
            moved = (
                key.add(one, by) * inverse % key.n_squared
                for one, (by, inverse) in zip(own, _with_inverses(key, turned, less), strict=True)
            )
            models.append(EncryptedVector.of(key, list(moved), MODEL_SCALE))
        return CarriedModels(trainers=tuple(answered), models=tuple(models))


def _with_inverses(
    key: PublicKey, values: Sequence[Ciphertext], less: Sequence[Ciphertext]
) -> list[tuple[Ciphertext, Ciphertext]]:
    return list(zip(values, batch_invert(list(less), key.n_squared), strict=True))


def _read(key: PublicKey, vector: EncryptedVector) -> list[Ciphertext]:
    return vector.read(key, scale=MODEL_SCALE, count=len(vector.ciphertexts))
