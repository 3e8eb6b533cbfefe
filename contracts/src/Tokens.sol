// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IMarketplace} from "./IMarketplace.sol";

/// @title Money in and out, in the native coin (token zero) or an ERC-20; a token is believed by its balances alone.
library Tokens {
    using SafeERC20 for IERC20;

    address internal constant NATIVE = address(0);

    /// Takes exactly `amount` of an ERC-20 from the caller by its allowance, or reverts.
    function take(address token, uint256 amount) internal {
        uint256 before = balance(token);
        if (!IERC20(token).trySafeTransferFrom(msg.sender, address(this), amount)) {
            revert IMarketplace.Marketplace_TransferFailed(msg.sender);
        }
        _requireMoved(token, balance(token), before, amount);
    }

    /// Pays exactly `amount` out, or reverts.
    function pay(address token, address to, uint256 amount) internal {
        if (token == NATIVE) {
            (bool sent,) = to.call{value: amount}("");
            if (!sent) revert IMarketplace.Marketplace_TransferFailed(to);
            return;
        }
        uint256 before = balance(token);
        if (!IERC20(token).trySafeTransfer(to, amount)) revert IMarketplace.Marketplace_TransferFailed(to);
        _requireMoved(token, before, balance(token), amount);
    }

    /// Uses the caller's signed permit. One that fails is passed over: somebody may have sent it ahead of this call,
    /// and whether the allowance is there is found out when the money is taken.
    function permit(address token, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) internal {
        try IERC20Permit(token).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
    }

    function balance(address token) internal view returns (uint256) {
        return IERC20(token).balanceOf(address(this));
    }

    /// A token that takes a fee or moves less than it says leaves another difference. So does a callback that opens or
    /// withdraws, unless what it moved is nothing on balance, as its own accounts are then: no lock is needed.
    function _requireMoved(address token, uint256 more, uint256 less, uint256 amount) private pure {
        uint256 moved = more > less ? more - less : 0;
        if (moved != amount) revert IMarketplace.Marketplace_WrongAmountMoved(token, moved, amount);
    }
}
