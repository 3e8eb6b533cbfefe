// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../../src/IMarketplace.sol";
import {Hook, MoodyToken} from "./MoodyToken.sol";

/// A buyer by contract that calls the market as it is told, and again from inside a token's transfer.
contract Meddler is Hook {
    IMarketplace private immutable _market;
    bytes[] private _next;
    bytes[] public answers;
    bool[] public succeeded;

    constructor(IMarketplace market, MoodyToken token) {
        _market = market;
        market.register(IMarketplace.Role.ModelBuyer, bytes32(uint256(1)));
        token.approve(address(market), type(uint256).max);
    }

    /// What to call, in order, at the next transfer.
    function plan(bytes calldata data) external {
        _next.push(data);
    }

    function act(bytes calldata data) external {
        (bool done, bytes memory answer) = address(_market).call(data);
        if (!done) {
            assembly {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }

    function onTransfer() external {
        bytes[] memory planned = _next;
        delete _next;
        for (uint256 i = 0; i < planned.length; ++i) {
            (bool done, bytes memory answer) = address(_market).call(planned[i]);
            succeeded.push(done);
            answers.push(answer);
        }
    }
}
