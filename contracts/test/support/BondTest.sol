// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../../src/IMarketplace.sol";
import {MarketplaceTest} from "./MarketplaceTest.sol";
import {MoodyToken} from "./MoodyToken.sol";

/// Trainings in which everybody gives a bond, in ether or in a token.
abstract contract BondTest is MarketplaceTest {
    uint128 internal constant OWNER_BOND = 3 ether;
    uint128 internal constant AGGREGATOR_BOND = 5 ether;
    uint128 internal constant BUYER_BOND = 7 ether;

    address internal charity = vm.addr(0xc4);

    // ---- a training with bonds in each status ----

    function bondedTerms(address token) internal view returns (IMarketplace.Terms memory terms) {
        terms = termsIn(token);
        (terms.ownerBond, terms.aggregatorBond, terms.buyerBond) = (OWNER_BOND, AGGREGATOR_BOND, BUYER_BOND);
        terms.forfeitTo = charity;
    }

    function openBonded(IMarketplace.Terms memory terms) internal returns (uint256 training) {
        uint256 value = fund(terms.token, buyer, DEPOSIT + terms.buyerBond);
        vm.prank(buyer);
        return market.open{value: value}(terms, DEPOSIT);
    }

    function joinBonded(uint256 training, uint256 owners) internal {
        for (uint256 seat = 0; seat < owners; ++seat) {
            register(owner(seat), IMarketplace.Role.DataOwner);
            uint256 value = fund(termsOf(training).token, owner(seat), termsOf(training).ownerBond);
            joinWith(training, owner(seat), value);
        }
    }

    function joinWith(uint256 training, address account, uint256 value) internal {
        bytes memory data = joining(training, account);
        vm.prank(account);
        (bool done, bytes memory answer) = address(market).call{value: value}(data);
        if (done) return;
        assembly {
            revert(add(answer, 0x20), mload(answer))
        }
    }

    function joining(uint256 training, address account) internal view returns (bytes memory) {
        (bytes memory byAggregator, bytes memory byBuyer) = admissions(training, account);
        bytes32 digest = nonceDigest(training, account);
        return abi.encodeCall(IMarketplace.join, (training, commitmentOf(account), digest, byAggregator, byBuyer));
    }

    function closeBonded(uint256 training) internal {
        uint256 value = fund(termsOf(training).token, aggregator, termsOf(training).aggregatorBond);
        vm.prank(aggregator);
        market.close{value: value}(training);
    }

    function drawingBonded(address token, uint256 owners) internal returns (uint256 training) {
        training = openBonded(bondedTerms(token));
        joinBonded(training, owners);
        closeBonded(training);
    }

    /// All owners but those of a mask of seats have revealed, and the roles are drawn.
    function runningBonded(address token, uint256 owners, uint256 silent) internal returns (uint256 training) {
        training = drawingBonded(token, owners);
        vm.roll(drawBlock(training) + 1);
        revealAll(training, silent);
        vm.warp(revealUntil(training));
        market.draw(training);
    }

    /// One round is recorded, the last.
    function settledBonded(address token, uint256 owners) internal returns (uint256 training) {
        training = runningBonded(token, owners, 0);
        sendRecord(recordOf(training, 1, true));
        market.settle(training);
    }

    // ---- pieces ----

    /// Gives an account what a call takes: as ether that is sent with it, or in a token that it allows.
    function fund(address token, address account, uint256 amount) internal returns (uint256 value) {
        if (token == NATIVE) {
            vm.deal(account, account.balance + amount);
            return amount;
        }
        MoodyToken(token).mint(account, amount);
        vm.prank(account);
        MoodyToken(token).approve(address(market), amount);
    }

    function termsOf(uint256 training) internal view returns (IMarketplace.Terms memory terms) {
        (,, terms) = market.termsOf(training);
    }

    function release(uint256 training, address account) internal returns (uint256) {
        vm.prank(account);
        return market.releaseBond(training);
    }

    function refuseRelease(uint256 training, address account, bytes memory refusal) internal {
        vm.prank(account);
        vm.expectRevert(refusal);
        market.releaseBond(training);
    }

    function expectForfeited(uint256 training, address account, IMarketplace.Fault fault, uint256 amount) internal {
        address token = termsOf(training).token;
        vm.expectEmit(address(market));
        emit IMarketplace.BondForfeited(training, account, fault, token, amount);
        vm.expectEmit(address(market));
        emit IMarketplace.Credited(training, charity, IMarketplace.Share.Forfeit, token, amount);
    }

    /// The bond is gone, and only its receiver has more credit.
    function assertForfeited(uint256 training, address account, uint256 amount) internal {
        address token = termsOf(training).token;
        vm.assertEq(market.bondOf(training, account), 0, "the bond is gone");
        vm.assertEq(market.creditOf(token, charity), amount, "to whom the terms say");
        vm.warp(vm.getBlockTimestamp() + 365 days);
        vm.prank(account);
        (bool released,) = address(market).call(abi.encodeCall(IMarketplace.releaseBond, (training)));
        vm.assertTrue(!released, "and does not come home");
    }

    /// Balance = escrow + bonds + credits, these being of the parties here.
    function assertHeld(address token, uint256 escrow, uint256 bonds) internal view {
        vm.assertEq(market.totalEscrow(token), escrow, "escrow");
        vm.assertEq(market.totalBonds(token), bonds, "bonds");
        uint256 credits = market.creditOf(token, buyer) + market.creditOf(token, aggregator) + market.creditOf(token, charity);
        for (uint256 seat = 0; seat < 8; ++seat) credits += market.creditOf(token, owner(seat));
        uint256 held = token == NATIVE ? address(market).balance : MoodyToken(token).balanceOf(address(market));
        vm.assertEq(held, escrow + bonds + credits, "balance");
    }

    function noBond(uint256 training, address account) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketplace.Marketplace_NoBond.selector, training, account);
    }

    function noFault(uint256 training, address account) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketplace.Marketplace_NoFault.selector, training, account);
    }

    function wrongValue(uint256 sent, uint256 needed) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketplace.Marketplace_WrongValue.selector, sent, needed);
    }

    function wrongAmountMoved(uint256 moved, uint256 amount) internal view returns (bytes memory) {
        return abi.encodeWithSelector(
            IMarketplace.Marketplace_WrongAmountMoved.selector, address(moody), moved, amount
        );
    }
}
