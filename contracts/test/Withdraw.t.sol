// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {MarketplaceTest} from "./support/MarketplaceTest.sol";
import {Reentrant, Refusing} from "./support/Wallets.sol";

contract WithdrawTest is MarketplaceTest {
    function test_RevertWhen_TheAccountHasNoCredit() external {
        refuse(stranger, abi.encodeWithSelector(IMarketplace.Marketplace_NothingToWithdraw.selector, NATIVE, stranger));
    }

    function test_RevertWhen_TheCreditIsWithdrawnTwice() external {
        cancelled();
        vm.prank(buyer);
        market.withdraw(NATIVE, address(0));
        refuse(buyer, abi.encodeWithSelector(IMarketplace.Marketplace_NothingToWithdraw.selector, NATIVE, buyer));
    }

    function test_RevertWhen_TheReceiverTakesNoEther() external {
        Refusing receiver = new Refusing(market);
        receiver.openAndCancel{value: DEPOSIT}(defaultTerms());
        bytes memory refusal =
            abi.encodeWithSelector(IMarketplace.Marketplace_TransferFailed.selector, address(receiver));
        vm.expectRevert(refusal);
        receiver.withdraw();
        vm.assertEq(market.creditOf(NATIVE, address(receiver)), DEPOSIT, "the credit stays");
    }

    function test_WhenTheReceiverCallsBack() external {
        open(); // other people's money, there to be stolen
        Reentrant receiver = new Reentrant(market);
        receiver.register();
        receiver.openAndCancel{value: DEPOSIT}(defaultTerms());
        receiver.withdraw();
        vm.assertTrue(!receiver.succeeded(), "the second withdrawal fails");
        vm.assertEq(
            keccak256(receiver.answer()),
            keccak256(
                abi.encodeWithSelector(IMarketplace.Marketplace_NothingToWithdraw.selector, NATIVE, address(receiver))
            ),
            "because nothing is left"
        );
        vm.assertEq(address(receiver).balance, DEPOSIT, "paid once");
        vm.assertEq(address(market).balance, DEPOSIT, "the others' escrow is untouched");
    }

    function test_WhenTheAccountHasCredit() external {
        cancelled();
        cancelled();
        uint256 before = buyer.balance;
        vm.expectEmit(address(market));
        emit IMarketplace.Withdrawn(buyer, buyer, NATIVE, 2 * DEPOSIT);
        vm.prank(buyer);
        vm.assertEq(market.withdraw(NATIVE, address(0)), 2 * DEPOSIT, "amount");
        vm.assertEq(buyer.balance, before + 2 * DEPOSIT, "received");
        vm.assertEq(market.creditOf(NATIVE, buyer), 0, "credit");
        vm.assertEq(address(market).balance, 0, "balance");
    }

    /// A contract that takes no ether has its credit paid to whom it names.
    function test_WhenTheCreditIsPaidToAnother() external {
        cancelled();
        vm.expectEmit(address(market));
        emit IMarketplace.Withdrawn(buyer, stranger, NATIVE, DEPOSIT);
        vm.prank(buyer);
        market.withdraw(NATIVE, stranger);
        vm.assertEq(stranger.balance, DEPOSIT, "received");
        vm.assertEq(market.creditOf(NATIVE, buyer), 0, "credit");
    }

    function cancelled() private {
        uint256 training = open();
        vm.prank(buyer);
        market.cancel(training);
    }

    function refuse(address account, bytes memory refusal) private {
        vm.prank(account);
        vm.expectRevert(refusal);
        market.withdraw(NATIVE, address(0));
    }
}
