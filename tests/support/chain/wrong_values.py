"""What nodes have answered, or may, where a number or data in hexadecimal digits is due."""

WRONG_VALUES = (
    None,
    True,
    1,
    -1,
    1.5,
    "",
    "0x",
    "1",
    "0xg",
    "0x_1",
    "0x-1",
    " 0x1",
    "0x1\n",
    "latest",
    [],
    {},
    [None],
    ["0x1"],
    {"a": []},
    "0x" + "f" * 65,
    "x" * 10**6,
)
"""None of them is a number below 2^256; one is data, "0x", and one a list of no topics, []."""
