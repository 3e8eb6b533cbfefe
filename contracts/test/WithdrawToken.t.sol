// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {TestToken} from "../src/TestToken.sol";
import {MarketplaceTest} from "./support/MarketplaceTest.sol";
import {Meddler} from "./support/Meddler.sol";
import {MoodyToken} from "./support/MoodyToken.sol";

/// The buyer has a credit of one deposit in `moody` and one in ether, beside another training in each.
contract WithdrawTokenTest is MarketplaceTest {
    function setUp() public override {
        super.setUp();
        openIn(moody);
        open();
        uint256 training = openIn(moody);
        uint256 other = open();
        vm.prank(buyer);
        market.cancel(training);
        vm.prank(buyer);
        market.cancel(other);
    }

    function test_RevertWhen_TheCreditIsOfAnotherToken() external {
        address token = address(new TestToken());
        refuse(token, address(0), nothingToWithdraw(token, buyer));
    }

    function test_RevertWhen_TheReceiverIsTheTokenItself() external {
        bytes memory refusal = abi.encodeWithSelector(IMarketplace.Marketplace_InvalidTerms.selector, bytes32("to"));
        refuse(address(moody), address(moody), refusal);
    }

    function test_RevertWhen_TheReceiverIsTheMarketItself() external {
        bytes memory refusal = abi.encodeWithSelector(IMarketplace.Marketplace_InvalidTerms.selector, bytes32("to"));
        refuse(address(moody), address(market), refusal);
        refuse(NATIVE, address(market), refusal);
    }

    function test_RevertWhen_TheTokenReverts() external {
        refuseIn(MoodyToken.Mood.Reverts, transferFailed(buyer));
    }

    function test_RevertWhen_TheTokenReturnsFalse() external {
        refuseIn(MoodyToken.Mood.ReturnsFalse, transferFailed(buyer));
    }

    function test_RevertWhen_TheTokenLies() external {
        refuseIn(MoodyToken.Mood.Lies, wrongAmountMoved(0));
    }

    /// It would be taken out of what is the others'.
    function test_RevertWhen_TheTokenTakesASurcharge() external {
        refuseIn(MoodyToken.Mood.TakesSurcharge, wrongAmountMoved(DEPOSIT + DEPOSIT / 100));
    }

    function test_RevertWhen_TheTokenRefusesTheReceiver() external {
        moody.refuse(buyer);
        refuse(address(moody), address(0), transferFailed(buyer));
        assertBooks(DEPOSIT, DEPOSIT);
        vm.prank(buyer);
        market.withdraw(address(moody), stranger);
        vm.assertEq(moody.balanceOf(stranger), DEPOSIT, "another receiver may be named");
    }

    /// A token whose balances shrink owes nobody more than it has left, and nothing of another token pays for it.
    function test_RevertWhen_TheTokenHasShrunk() external {
        moody.halve(address(market));
        vm.prank(buyer);
        market.withdraw(address(moody), address(0));
        vm.prank(buyer);
        market.cancel(1);
        refuse(address(moody), address(0), transferFailed(buyer));
        withdrawNative();
    }

    /// A fee that begins after the opening is the receiver's alone.
    function test_WhenTheTokenTakesAFee() external {
        moody.set(MoodyToken.Mood.TakesFee);
        vm.prank(buyer);
        market.withdraw(address(moody), address(0));
        vm.assertEq(moody.balanceOf(buyer), DEPOSIT - DEPOSIT / 100, "less the fee");
        assertBooks(DEPOSIT, 0);
    }

    function test_WhenTheTokenReturnsNothing() external {
        moody.set(MoodyToken.Mood.ReturnsNothing);
        vm.prank(buyer);
        market.withdraw(address(moody), address(0));
        vm.assertEq(moody.balanceOf(buyer), DEPOSIT, "paid");
        assertBooks(DEPOSIT, 0);
    }

    function test_WhenTheTokenCallsBack() external {
        Meddler meddler = new Meddler(market, moody);
        moody.mint(address(meddler), DEPOSIT);
        meddler.act(abi.encodeCall(IMarketplace.open, (termsIn(address(moody)), DEPOSIT)));
        meddler.act(abi.encodeCall(IMarketplace.cancel, (5)));
        moody.callBack(meddler);
        meddler.plan(abi.encodeCall(IMarketplace.withdraw, (address(moody), address(0))));
        meddler.act(abi.encodeCall(IMarketplace.withdraw, (address(moody), address(0))));
        vm.assertTrue(!meddler.succeeded(0), "the second withdrawal fails");
        bytes memory refusal = nothingToWithdraw(address(moody), address(meddler));
        vm.assertEq(keccak256(meddler.answers(0)), keccak256(refusal), "because nothing is left");
        vm.assertEq(moody.balanceOf(address(meddler)), DEPOSIT, "paid once");
        assertBooks(DEPOSIT, DEPOSIT);
    }

    function test_WhenTheAccountHasCredit() external {
        vm.expectEmit(address(market));
        emit IMarketplace.Withdrawn(buyer, stranger, address(moody), DEPOSIT);
        vm.prank(buyer);
        vm.assertEq(market.withdraw(address(moody), stranger), DEPOSIT, "amount");
        vm.assertEq(moody.balanceOf(stranger), DEPOSIT, "received");
        assertBooks(DEPOSIT, 0);
        vm.assertEq(market.creditOf(NATIVE, buyer), DEPOSIT, "the credit of another token stays");
    }

    // ---- pieces ----

    function refuseIn(MoodyToken.Mood mood, bytes memory refusal) private {
        moody.set(mood);
        refuse(address(moody), address(0), refusal);
        assertBooks(DEPOSIT, DEPOSIT);
        withdrawNative();
    }

    function withdrawNative() private {
        uint256 before = buyer.balance;
        vm.prank(buyer);
        market.withdraw(NATIVE, address(0));
        vm.assertEq(buyer.balance, before + DEPOSIT, "ether is paid all the same");
        vm.assertEq(address(market).balance, market.totalEscrow(NATIVE), "and nobody else's is missing");
    }

    function refuse(address token, address to, bytes memory refusal) private {
        vm.prank(buyer);
        vm.expectRevert(refusal);
        market.withdraw(token, to);
    }

    function nothingToWithdraw(address token, address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketplace.Marketplace_NothingToWithdraw.selector, token, account);
    }

    function wrongAmountMoved(uint256 moved) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IMarketplace.Marketplace_WrongAmountMoved.selector, address(moody), moved, DEPOSIT
        );
    }
}
