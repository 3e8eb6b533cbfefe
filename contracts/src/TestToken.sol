// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title Play money for demonstrations and tests, worth nothing: anyone makes as much of it as it likes.
/// @notice Six decimals, as many dollar tokens have: who takes every token for one of eighteen finds out.
contract TestToken is ERC20Permit {
    constructor() ERC20("DeltaML Test Token", "TEST") ERC20Permit("DeltaML Test Token") {}

    /// @notice Makes new tokens from nothing.
    /// @param to who gets them
    /// @param amount in smallest units
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @return of a whole token
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
