// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../../src/IMarketplace.sol";
import {MarketplaceTest} from "./MarketplaceTest.sol";

/// Trainings that came to an end with known errors, and the claims of their owners.
abstract contract EndedTest is MarketplaceTest {
    function claimAs(uint256 training, address account) internal returns (uint256) {
        vm.prank(account);
        return market.claim(training);
    }

    /// Every owner that may claim does, in seat order, also one whose weight comes to nothing.
    function claimAll(uint256 training) internal {
        (address[] memory seats,,) = market.ownersOf(training);
        for (uint256 seat = 0; seat < seats.length; ++seat) {
            (, uint256 weight) = market.contributionOf(training, seats[seat]);
            if (weight > 0 || market.claimableOf(training, seats[seat]) > 0) claimAs(training, seats[seat]);
        }
    }

    /// Trainers alike, with the given errors before and after.
    function step(uint256 training, uint16 round, uint256 mseBefore, uint256 mseAfter, bool last)
        internal
        view
        returns (IMarketplace.RoundRecord memory record)
    {
        record = recordOf(training, round, last);
        record.mseBefore = mseBefore;
        for (uint256 i = 0; i < record.cross.length; ++i) {
            record.own[i] = mseAfter;
            record.cross[i] = int256(mseAfter * record.cross.length);
        }
    }

    function halved(uint256 training) internal view returns (IMarketplace.RoundRecord memory record) {
        record = step(training, 1, 100e18, 50e18, true);
        (record.own[0], record.own[1]) = (60e18, 80e18);
        (record.cross[0], record.cross[1]) = (90e18, 110e18);
    }

    function pair(uint256 mask) internal pure returns (uint256 first, uint256 second) {
        while ((mask >> first) & 1 == 0) ++first;
        second = first + 1;
        while ((mask >> second) & 1 == 0) ++second;
    }

    function assertCredit(address account, uint256 basisPoints) internal view {
        vm.assertEq(market.creditOf(NATIVE, account), DEPOSIT * basisPoints / 10_000, "credit");
    }
}
