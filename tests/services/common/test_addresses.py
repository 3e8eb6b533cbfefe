import pytest

from services.common.addresses import WrongChecksum, is_address, plain_address

# Of EIP-55 itself.
CHECKSUMMED = (
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
)


@pytest.mark.parametrize("address", CHECKSUMMED)
def test_the_right_checksum_and_one_case_are_taken(address):
    for written in (address, address.lower(), f"0x{address[2:].upper()}", address.upper()):
        assert is_address(written)
        assert plain_address(written) == address.lower()


@pytest.mark.parametrize("address", CHECKSUMMED)
def test_every_letter_in_the_other_case_is_a_wrong_checksum(address):
    places = [place for place in range(2, 42) if address[place].isalpha()]
    for place in places:
        wrong = address[:place] + address[place].swapcase() + address[place + 1 :]
        with pytest.raises(WrongChecksum, match=f"the address {wrong} has a wrong checksum; copy it again"):
            plain_address(wrong)


def test_what_is_no_address_stays_as_it_is():
    for text in ("", "0x12", "0xzz", CHECKSUMMED[0] + "0", CHECKSUMMED[0][2:], "0x" + "٣" * 40):
        assert not is_address(text)
        assert plain_address(text) == text
