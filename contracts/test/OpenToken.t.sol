// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {MarketplaceTest} from "./support/MarketplaceTest.sol";
import {Meddler} from "./support/Meddler.sol";
import {MoodyToken} from "./support/MoodyToken.sol";

contract OpenTokenTest is MarketplaceTest {
    function test_RevertWhen_EtherIsSentWithADepositInAToken() external {
        moody.mint(buyer, DEPOSIT);
        vm.prank(buyer);
        moody.approve(address(market), DEPOSIT);
        IMarketplace.Terms memory terms = termsIn(address(moody));
        vm.prank(buyer);
        vm.expectRevert(abi.encodeWithSelector(IMarketplace.Marketplace_WrongValue.selector, 1, 0));
        market.open{value: 1}(terms, DEPOSIT);
    }

    function test_RevertWhen_NoContractIsAtTheTokensAddress() external {
        bytes memory refusal = abi.encodeWithSelector(IMarketplace.Marketplace_InvalidTerms.selector, bytes32("token"));
        refuse(stranger, refusal);
    }

    function test_RevertWhen_TheTokenIsNone() external {
        refuse(address(market), "");
    }

    function test_RevertWhen_NothingIsAllowed() external {
        moody.mint(buyer, DEPOSIT);
        refuse(address(moody), transferFailed(buyer));
    }

    function test_RevertWhen_TheBuyerHasTooFew() external {
        allowed(DEPOSIT - 1);
        refuse(address(moody), transferFailed(buyer));
    }

    function test_RevertWhen_TheTokenTakesAFee() external {
        allowed(DEPOSIT);
        moody.set(MoodyToken.Mood.TakesFee);
        refuse(address(moody), wrongAmountMoved(DEPOSIT - DEPOSIT / 100, DEPOSIT));
    }

    function test_RevertWhen_TheTokenLies() external {
        allowed(DEPOSIT);
        moody.set(MoodyToken.Mood.Lies);
        refuse(address(moody), wrongAmountMoved(0, DEPOSIT));
    }

    function test_RevertWhen_TheTokenReturnsFalse() external {
        allowed(DEPOSIT);
        moody.set(MoodyToken.Mood.ReturnsFalse);
        refuse(address(moody), transferFailed(buyer));
    }

    function test_RevertWhen_TheTokenReverts() external {
        allowed(DEPOSIT);
        moody.set(MoodyToken.Mood.Reverts);
        refuse(address(moody), transferFailed(buyer));
    }

    function test_WhenTheTokenReturnsNothing() external {
        moody.set(MoodyToken.Mood.ReturnsNothing);
        openIn(moody);
        assertBooks(DEPOSIT, 0);
    }

    /// The attack: what the inner opening paid would stand for the outer one's deposit too.
    function test_RevertWhen_TheTokenCallsBackAndOpensAgain() external {
        (Meddler meddler, IMarketplace.Terms memory terms) = meddling(3);
        meddler.plan(abi.encodeCall(IMarketplace.open, (terms, DEPOSIT)));
        vm.expectRevert(wrongAmountMoved(2 * DEPOSIT, DEPOSIT));
        meddler.act(abi.encodeCall(IMarketplace.open, (terms, DEPOSIT)));
        assertBooks(DEPOSIT, 0);
    }

    /// The attack: a deposit that is not there yet is refunded, and withdrawn out of the others'.
    function test_RevertWhen_TheTokenCallsBackAndTakesTheDepositBack() external {
        (Meddler meddler, IMarketplace.Terms memory terms) = meddling(1);
        meddler.plan(abi.encodeCall(IMarketplace.cancel, (2)));
        meddler.plan(abi.encodeCall(IMarketplace.withdraw, (address(moody), address(0))));
        vm.expectRevert(wrongAmountMoved(0, DEPOSIT));
        meddler.act(abi.encodeCall(IMarketplace.open, (terms, DEPOSIT)));
        assertBooks(DEPOSIT, 0);
    }

    function test_WhenWhatACallbackMovesIsNothingOnBalance() external {
        (Meddler meddler, IMarketplace.Terms memory terms) = meddling(2);
        meddler.plan(abi.encodeCall(IMarketplace.cancel, (2)));
        meddler.plan(abi.encodeCall(IMarketplace.withdraw, (address(moody), address(0))));
        meddler.plan(abi.encodeCall(IMarketplace.open, (terms, DEPOSIT)));
        meddler.act(abi.encodeCall(IMarketplace.open, (terms, DEPOSIT)));
        vm.assertTrue(meddler.succeeded(0) && meddler.succeeded(1) && meddler.succeeded(2), "each call is allowed");
        assertStatus(2, IMarketplace.Status.Cancelled);
        assertStatus(3, IMarketplace.Status.Open);
        assertBooks(2 * DEPOSIT, 0);
    }

    function test_WhenTheDepositIsAllowed() external {
        allowed(DEPOSIT);
        IMarketplace.Terms memory terms = termsIn(address(moody));
        vm.expectEmit(address(market));
        emit IMarketplace.Opened(1, buyer, aggregator, DEPOSIT, terms);
        vm.prank(buyer);
        uint256 training = market.open(terms, DEPOSIT);
        (,, IMarketplace.Terms memory stored) = market.termsOf(training);
        vm.assertEq(stored.token, address(moody), "token");
        assertBooks(DEPOSIT, 0);
        vm.assertEq(market.totalEscrow(NATIVE), 0, "nothing of it is in another token");
    }

    // ---- pieces ----

    function allowed(uint256 amount) private {
        moody.mint(buyer, amount);
        vm.prank(buyer);
        moody.approve(address(market), type(uint256).max);
    }

    /// A buyer by contract with so many deposits, beside a training that another has opened.
    function meddling(uint256 deposits) private returns (Meddler meddler, IMarketplace.Terms memory terms) {
        openIn(moody);
        meddler = new Meddler(market, moody);
        moody.mint(address(meddler), deposits * DEPOSIT);
        moody.callBack(meddler);
        terms = termsIn(address(moody));
    }

    function refuse(address token, bytes memory refusal) private {
        IMarketplace.Terms memory terms = termsIn(token);
        vm.prank(buyer);
        vm.expectRevert(refusal);
        market.open(terms, DEPOSIT);
    }

    function wrongAmountMoved(uint256 moved, uint256 amount) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IMarketplace.Marketplace_WrongAmountMoved.selector, address(moody), moved, amount
        );
    }
}
