// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../../src/IMarketplace.sol";

/// A contract account: its signature (ERC-1271) is whatever digest it was told to approve, with the bytes "ok".
contract Wallet {
    bytes32 public approved;

    function approve(bytes32 digest) external {
        approved = digest;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        return digest == approved && keccak256(signature) == keccak256("ok") ? this.isValidSignature.selector : bytes4(0);
    }
}

/// Burns whatever gas it is given, whatever it is asked.
contract Burner {
    fallback() external {
        while (true) {}
    }
}

/// Answers yes at a length that costs whoever copies it more than it cost to make.
contract Bomb {
    fallback() external {
        assembly {
            mstore(0, shl(224, 0x1626ba7e))
            return(0, 100000)
        }
    }
}

/// Reverts, whatever it is asked.
contract Reverting {
    fallback() external {
        revert("no");
    }
}

/// Withdraws again from inside the payment, as the classic reentrancy does, and keeps what the call answered.
contract Reentrant {
    IMarketplace private immutable _market;
    bool public succeeded;
    bytes public answer;

    constructor(IMarketplace market) {
        _market = market;
    }

    function register() external {
        _market.register(IMarketplace.Role.ModelBuyer, bytes32(uint256(1)));
    }

    function openAndCancel(IMarketplace.Terms calldata terms) external payable {
        _market.cancel(_market.open{value: msg.value}(terms, msg.value));
    }

    function withdraw() external {
        _market.withdraw(address(0), address(0));
    }

    receive() external payable {
        (succeeded, answer) = address(_market).call(abi.encodeCall(IMarketplace.withdraw, (address(0), address(0))));
    }
}

/// Takes no ether.
contract Refusing {
    IMarketplace private immutable _market;

    constructor(IMarketplace market) {
        _market = market;
        market.register(IMarketplace.Role.ModelBuyer, bytes32(uint256(1)));
    }

    function openAndCancel(IMarketplace.Terms calldata terms) external payable {
        _market.cancel(_market.open{value: msg.value}(terms, msg.value));
    }

    function withdraw() external {
        _market.withdraw(address(0), address(0));
    }
}
