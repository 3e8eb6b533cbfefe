// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {Folds} from "./Folds.sol";
import {Openings} from "./Openings.sol";
import {Rules} from "./Rules.sol";

/// @title What the market has checked elsewhere, because a contract's code is bounded (EIP-170).
/// @notice The market's constructor creates it, and it keeps nothing.
contract Checks is Rules, Openings, Folds {}
