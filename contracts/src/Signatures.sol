// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Whether an account has signed, at a bounded cost, and never by reverting.
library Signatures {
    /// What a signer's own code may cost. Safe's wallets and passkeys take less than half of it.
    uint256 internal constant MOST_GAS = 200_000;

    /// ECDSA with a low s first: an account with code (EIP-7702) still signs with its key. Else the account's own code
    /// is asked (ERC-1271); where that fails, burns its gas or answers anything else, it has not signed.
    function isSignedBy(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        if (signature.length == 0) return false;
        if (isSignedByKeyOf(signer, digest, signature)) return true;
        return signer.code.length > 0 && _isApprovedBy(signer, digest, signature);
    }

    /// By ECDSA with a low s alone: what an account's code approves may be another thing tomorrow.
    function isSignedByKeyOf(address signer, bytes32 digest, bytes calldata signature) internal pure returns (bool) {
        (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, signature);
        return problem == ECDSA.RecoverError.NoError && recovered == signer;
    }

    function _isApprovedBy(address signer, bytes32 digest, bytes calldata signature)
        private
        view
        returns (bool approved)
    {
        bytes memory asked = abi.encodeCall(IERC1271.isValidSignature, (digest, signature));
        bytes32 magic = IERC1271.isValidSignature.selector;
        // One word of the answer is all that is copied: a long one costs the signer's gas alone.
        assembly ("memory-safe") {
            let succeeded := staticcall(MOST_GAS, signer, add(asked, 0x20), mload(asked), 0, 0x20)
            approved := and(and(succeeded, gt(returndatasize(), 0x1f)), eq(mload(0), magic))
        }
    }
}
