// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {BondTest} from "./support/BondTest.sol";

contract ForfeitUnrevealedTest is BondTest {
    /// The attack: the last to reveal looks at the draw without its nonce, likes it better, and keeps quiet.
    function test_WhenSomeDidNotRevealBeforeTheDraw() external {
        uint256 training = afterReveals(NATIVE, 7, 2 + 16);
        expectForfeited(training, owner(1), IMarketplace.Fault.NoReveal, OWNER_BOND);
        expectForfeited(training, owner(4), IMarketplace.Fault.NoReveal, OWNER_BOND);
        vm.prank(stranger);
        market.draw(training);
        assertOnlySilent(training, 7, 2 + 16);
    }

    function test_WhenTooFewRevealed() external {
        uint256 training = afterReveals(NATIVE, 5, 1 + 8);
        expectForfeited(training, owner(0), IMarketplace.Fault.NoReveal, OWNER_BOND);
        expectForfeited(training, owner(3), IMarketplace.Fault.NoReveal, OWNER_BOND);
        vm.prank(stranger);
        market.cancel(training);
        assertOnlySilent(training, 5, 1 + 8);
    }

    function test_WhenNobodyDrewInTime() external {
        uint256 training = afterReveals(NATIVE, 5, 4);
        vm.warp(endsAt(training));
        market.cancel(training);
        assertOnlySilent(training, 5, 4);
    }

    /// The hash of the draw's block may have been gone before anybody could: that is no owner's fault.
    function test_WhenNobodyRevealed() external {
        uint256 training = afterReveals(NATIVE, 4, 15);
        market.cancel(training);
        assertOnlySilent(training, 4, 0);
        vm.warp(market.bondUntil(training, owner(0)));
        for (uint256 seat = 0; seat < 4; ++seat) vm.assertEq(release(training, owner(seat)), OWNER_BOND, "comes home");
    }

    function test_WhenAllRevealed() external {
        assertOnlySilent(runningBonded(NATIVE, 5, 0), 5, 0);
    }

    function test_WhenATrainingEndsThatWasDrawn() external {
        uint256 training = runningBonded(NATIVE, 6, 32);
        vm.warp(endsAt(training));
        market.cancel(training);
        assertOnlySilent(training, 6, 32);
        training = runningBonded(address(moody), 6, 32);
        sendRecord(recordOf(training, 1, true));
        market.settle(training);
        assertOnlySilent(training, 6, 32);
    }

    /// Whatever anybody else sends, and whoever sends it, an owner that revealed keeps its bond.
    function test_WhenSomebodyElseMakesTheCallsOfAnOwner() external {
        uint256 training = drawingBonded(NATIVE, 4);
        vm.roll(drawBlock(training) + 1);
        address[3] memory others = [stranger, aggregator, buyer];
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(notParty(training, others[i]));
            market.reveal(training, nonceOf(training, owner(0)));
            vm.prank(others[i]);
            vm.expectRevert(tooEarly(training, revealUntil(training)));
            market.draw(training);
        }
        revealAll(training, 0);
        market.draw(training);
        assertOnlySilent(training, 4, 0);
    }

    function test_WhenBondsAreInAToken() external {
        assertOnlySilent(runningBonded(address(moody), 6, 3), 6, 3);
        vm.assertEq(market.creditOf(NATIVE, charity), 0, "in no other");
    }

    function test_WhenOwnersGiveNoBond() external {
        IMarketplace.Terms memory terms = bondedTerms(NATIVE);
        terms.ownerBond = 0;
        uint256 training = openBonded(terms);
        joinBonded(training, 5);
        closeBonded(training);
        vm.roll(drawBlock(training) + 1);
        revealAll(training, 1);
        vm.warp(revealUntil(training));
        market.draw(training);
        vm.assertEq(market.creditOf(NATIVE, charity), 0, "nothing was lost");
        assertHeld(NATIVE, DEPOSIT, BUYER_BOND + AGGREGATOR_BOND);
    }

    // ---- pieces ----

    function afterReveals(address token, uint256 owners, uint256 silent) private returns (uint256 training) {
        training = drawingBonded(token, owners);
        vm.roll(drawBlock(training) + 1);
        revealAll(training, silent);
        vm.warp(revealUntil(training));
    }

    /// Those of the mask have lost their bonds, and nobody else has.
    function assertOnlySilent(uint256 training, uint256 owners, uint256 silent) private view {
        for (uint256 seat = 0; seat < owners; ++seat) {
            uint256 expected = (silent >> seat) & 1 == 1 ? 0 : OWNER_BOND;
            vm.assertEq(market.bondOf(training, owner(seat)), expected, "owner");
        }
        vm.assertEq(market.bondOf(training, aggregator), AGGREGATOR_BOND, "aggregator");
        vm.assertEq(market.bondOf(training, buyer), BUYER_BOND, "buyer");
        address token = termsOf(training).token;
        vm.assertEq(market.creditOf(token, charity), bits(silent) * OWNER_BOND, "what was lost");
        uint256 left = (owners - bits(silent)) * OWNER_BOND + AGGREGATOR_BOND + BUYER_BOND;
        vm.assertEq(market.totalBonds(token), left, "bonds");
    }
}
