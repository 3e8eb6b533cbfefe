"""The bare C functions with whatever comes: buffers are as long as promised, and nothing else is true.

Buffers are allocated to the byte, so that the sanitizers see the first one beyond.
"""

import ctypes
import random
from collections import Counter

_LANES = 8
_DONE = 0
_UNTOUCHED = 0x5A


def check_strangers(library: ctypes.CDLL, stream: random.Random, calls: int) -> str:
    """Make so many calls; returns how often each answer came. Raises AssertionError for a broken promise."""
    for name in ("kernel_limbs", "kernel_table_words", "halves_words"):
        getattr(library, name).restype = ctypes.c_size_t
    answers: Counter[int] = Counter()
    kinds = (_powers, _secrets, _tables, _chains, _halves)
    for _ in range(calls):
        answers[stream.choice(kinds)(library, stream)] += 1
    assert set(answers) <= set(range(6)), answers
    assert answers[_DONE], "no call was let in: the strangers are too strange"
    return ", ".join(f"{count} × {answer}" for answer, count in sorted(answers.items()))


class _Buffer:
    """So many bytes, to be written to; `untouched` is whether nobody has."""

    def __init__(self, length: int) -> None:
        self.length, self.content = length, (ctypes.c_ubyte * max(1, length))()
        ctypes.memset(self.content, _UNTOUCHED, length)

    @property
    def untouched(self) -> bool:
        return bytes(self.content)[: self.length] == bytes([_UNTOUCHED]) * self.length


def _size(value: int) -> ctypes.c_size_t:
    return ctypes.c_size_t(value)


def _words(stream: random.Random) -> int:
    """Mostly lengths that are taken, and then short: of a long one few calls could be made."""
    return stream.choice(
        [16, 16, 17, 18, 20, 16, stream.choice([0, 1, 15, 32, 127, 128, 129, 2**32, 2**63, 2**64 - 1])]
    )


def _room(words: int) -> int:
    """Words that buffers are given: of lengths that are refused they are not read."""
    return words if words <= 129 else 1


def _content(stream: random.Random, words: int, count: int, *, odd: bool = False) -> bytes:
    """So many numbers of 64-bit words: small, so that most are below moduli, or anything."""
    length, found = 8 * words, []
    for _ in range(count):
        bits = 8 * length if odd or stream.random() < 0.05 else max(0, 8 * length - 9)
        value = stream.getrandbits(bits) if bits else 0
        if odd and stream.random() < 0.99 and length:
            value |= 1 | 1 << (8 * length - 1)
        found.append(value.to_bytes(length, "little"))
    return b"".join(found)


def _numbers(
    stream: random.Random, words: int, count: int, *, odd: bool = False
) -> ctypes.Array[ctypes.c_char]:
    content = _content(stream, _room(words), count, odd=odd)
    return (ctypes.c_char * max(1, len(content))).from_buffer_copy(content or b"\0")


def _digits(stream: random.Random, count: int, below: int) -> ctypes.Array[ctypes.c_ubyte]:
    wrong = stream.random() < 0.1
    found = [stream.randrange(256 if wrong else below) for _ in range(count)]
    return (ctypes.c_ubyte * max(1, count))(*found)


def _answered(out: _Buffer, answer: int) -> int:
    assert answer == _DONE or out.untouched, f"answer {answer}, and something was written"
    return answer


def _powers(library: ctypes.CDLL, stream: random.Random) -> int:
    words, steps = _words(stream), stream.choice([0, 1, 2, 5])
    odd_powers = stream.choice([0, 1, 2, 4, 128, 129, 2**40]) if stream.random() < 0.3 else 4
    squarings = (ctypes.c_uint16 * max(1, steps))(
        *(
            stream.choice([0, 1, 3, 65535 if stream.random() < 0.01 and steps > 1 else 2])
            for _ in range(steps)
        )
    )
    digits, out = _digits(stream, steps, min(odd_powers, 128) + 1), _Buffer(8 * _LANES * _room(words))
    numbers = [_numbers(stream, words, _LANES, odd=at == 0) for at in range(3)]
    call = library.kernel_public_powers
    plan = (_size(odd_powers), _size(steps), squarings, digits)
    return _answered(out, call(_size(words), *numbers, *plan, out.content))


def _secrets(library: ctypes.CDLL, stream: random.Random) -> int:
    words, positions = _words(stream), stream.choice([0, 1, 3])
    digits, out = _digits(stream, _LANES * positions, 32), _Buffer(8 * _LANES * _room(words))
    numbers = [_numbers(stream, words, _LANES, odd=at == 0) for at in range(3)]
    told = _size(positions if stream.random() < 0.9 else 13108)
    return _answered(out, library.kernel_secret_powers(_size(words), *numbers, told, digits, out.content))


def _tables(library: ctypes.CDLL, stream: random.Random) -> int:
    words, count, window = (
        _words(stream),
        stream.choice([0, 1, 3, 8, 9]),
        stream.choice([0, 1, 2, 3, 6, 7, 2**40]),
    )
    size = library.kernel_table_words(_size(words), _size(count), _size(window))
    told, table = size + stream.choice([0] * 9 + [1]), _Buffer(8 * size)
    modulo = [_numbers(stream, words, 1, odd=at == 0) for at in range(2)]
    pairs = [_numbers(stream, words, count) for _ in range(2)]
    head = (_size(words), *modulo, _size(count), _size(window))
    answer = library.kernel_fill_table(*head, *pairs, table.content, _size(told))
    if stream.random() < 0.5:
        return int(answer)
    # Whatever stands in the table, by then: no address comes from it.
    positions, out = stream.choice([0, 1, 2]), _Buffer(8 * _LANES * _room(words))
    digits = _digits(stream, positions * count * _LANES, 1 << min(window, 6))
    rest = (table.content, _size(told), _size(positions), digits, out.content)
    return _answered(out, library.kernel_table_products(*head, *rest))


def _chains(library: ctypes.CDLL, stream: random.Random) -> int:
    """Counts that may not be those of the factors, limbs that may be none."""
    words, positions = _words(stream), stream.choice([0, 1, 3, 65537 if stream.random() < 0.01 else 2])
    size = library.halves_words(_size(words))
    counts = [stream.choice([0, 0, 1, 2]) for _ in range(positions)]
    count = sum(counts)
    plan = (_size(positions), (ctypes.c_uint16 * max(1, positions))(*counts))
    told = count + stream.choice([0] * 9 + [1, -1 if count else 1])
    product, factors, out = _limbs(stream, size), _limbs(stream, size * count), _Buffer(8 * size)
    rest = (_size(told), factors, out.content)
    return _answered(out, library.halves_chain(*_root(stream, words), product, *plan, *rest))


def _halves(library: ctypes.CDLL, stream: random.Random) -> int:
    words = _words(stream)
    size, root = library.halves_words(_size(words)), _root(stream, words)
    kind = stream.choice(["enter", "leave", "multiply", "powers"])
    if kind == "leave":
        out = _Buffer(16 * (_room(words) + 1))
        return _answered(out, library.halves_leave(*root, _limbs(stream, size), out.content))
    if kind == "powers":
        count = stream.choice([0, 1, 5, 128, 129, 2**40])
        out = _Buffer(8 * size * min(count, 129))
        call = library.halves_odd_powers
        return _answered(out, call(*root, _limbs(stream, size), _size(count), out.content))
    out = _Buffer(8 * size)
    if kind == "enter":
        pair = [_numbers(stream, words, 2) for _ in range(2)]
    else:
        pair = [_limbs(stream, size) for _ in range(2)]
    return _answered(out, getattr(library, f"halves_{kind}")(*root, *pair, out.content))


def _root(stream: random.Random, words: int) -> tuple[object, ...]:
    start = _content(stream, _room(words) + 1, 1)
    return _size(words), _numbers(stream, words, 1, odd=True), (ctypes.c_char * len(start))(*start)


def _limbs(stream: random.Random, count: int) -> ctypes.Array[ctypes.c_uint64]:
    bits = stream.choice([52, 52, 64])
    return (ctypes.c_uint64 * max(1, count))(*(stream.getrandbits(bits) for _ in range(count)))
