"""A kernel is used only where it is whole, of these sources, at home on the processor, and right."""

from pathlib import Path
from typing import Any

import pytest
from gmpy2 import mpz

from protocol.crypto.native.in_use import kernel_for
from protocol.crypto.residues import PlainResidues
from services.native import loading
from services.native.build import sources_digest
from services.native.loading import TRIED_BITS, computes_rightly, fault_of, find_arithmetic, use_arithmetic
from tests.support.native_kernel import PythonKernel, kernel_in_use


class Loaded(PythonKernel):
    """As from a library."""

    sources, runs_here = sources_digest(), True


class Wrong(Loaded):
    """One number of one kind is off by one."""

    kind = ""

    def _off(self, kind: str, numbers: list[mpz]) -> list[mpz]:
        return [*numbers[:-1], numbers[-1] + (kind == self.kind)]

    def products(self, *given: Any) -> list[mpz]:
        return self._off("products", super().products(*given))

    def public_powers(self, *given: Any) -> list[mpz]:
        return self._off("public", super().public_powers(*given))

    def secret_powers(self, *given: Any) -> list[mpz]:
        return self._off("secret", super().secret_powers(*given))

    def table(self, *given: Any) -> Any:
        kept, off = super().table(*given), self._off

        class Table:
            def products(self, *given: Any) -> list[mpz]:
                return off("table", kept.products(*given))

        return Table()

    def halves(self, root: mpz) -> Any:
        kept, off = PlainResidues(root * root), self._off

        class Halves(PlainResidues):
            def multiply(self, *given: mpz) -> mpz:
                return off("multiply", [kept.multiply(*given)])[0]

            def chain(self, *given: Any) -> mpz:
                return off("chain", [kept.chain(*given)])[0]

            def odd_powers(self, *given: Any) -> list[mpz]:
                return off("odd powers", kept.odd_powers(*given))

        return Halves(root * root)


def test_a_kernel_that_computes_as_gmp_does_has_no_fault() -> None:
    assert fault_of(Loaded()) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["products", "public", "secret", "table", "multiply", "chain", "odd powers"])
def test_a_kernel_that_computes_one_number_wrongly_is_found_out(kind: str) -> None:
    kernel = Wrong()
    assert computes_rightly(kernel, TRIED_BITS[:1])  # type: ignore[arg-type]
    kernel.kind = kind
    assert "wrong numbers" in fault_of(kernel)  # type: ignore[arg-type]


def test_other_sources_and_other_processors_are_told() -> None:
    kernel = Loaded()
    kernel.runs_here = False
    assert "no AVX-512" in fault_of(kernel)  # type: ignore[arg-type]
    kernel.sources = "older"
    assert "other sources" in fault_of(kernel)  # type: ignore[arg-type]


def test_the_switch_and_a_missing_or_broken_library_have_gmp_compute(tmp_path: Path) -> None:
    library = tmp_path / "kernel.so"
    assert find_arithmetic(library, {"DELTAML_NATIVE": "0"}) == (None, "gmpy2: DELTAML_NATIVE is 0")
    assert "no kernel is built" in find_arithmetic(library, {}).text
    library.write_bytes(b"no library")
    assert find_arithmetic(library, {}).kernel is None
    assert "cannot be loaded" in find_arithmetic(library, {}).text


def test_a_process_looks_once_and_computes_by_what_it_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, modulus = Loaded(), mpz((1 << 1024) - 105)
    monkeypatch.setattr(loading, "find_arithmetic", lambda: loading.Arithmetic(kernel, "native: here"))  # type: ignore[arg-type]
    with kernel_in_use(None):
        use_arithmetic.cache_clear()
        assert use_arithmetic() == use_arithmetic() == "native: here"
        assert kernel_for(modulus, 8) is kernel
        use_arithmetic.cache_clear()
