// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {MarketplaceTest} from "./support/MarketplaceTest.sol";

contract RegisterTest is MarketplaceTest {
    function test_RevertWhen_TheRoleIsNone() external {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IMarketplace.Marketplace_InvalidTerms.selector, bytes32("role")));
        market.register(IMarketplace.Role.None, keyOf(stranger));
    }

    function test_RevertWhen_TheExchangeKeyIsZero() external {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IMarketplace.Marketplace_InvalidTerms.selector, bytes32("exchangeKey")));
        market.register(IMarketplace.Role.DataOwner, 0);
    }

    function test_RevertWhen_TheAccountHoldsAnotherRole() external {
        vm.prank(buyer);
        vm.expectRevert(
            abi.encodeWithSelector(IMarketplace.Marketplace_WrongRole.selector, buyer, IMarketplace.Role.ModelBuyer)
        );
        market.register(IMarketplace.Role.DataOwner, keyOf(buyer));
    }

    function test_WhenTheAccountIsNew() external {
        vm.expectEmit(address(market));
        emit IMarketplace.Registered(stranger, IMarketplace.Role.DataOwner, keyOf(stranger));
        register(stranger, IMarketplace.Role.DataOwner);
        vm.assertEq(uint256(market.roleOf(stranger)), uint256(IMarketplace.Role.DataOwner), "role");
        vm.assertEq(market.exchangeKeyOf(0, stranger), keyOf(stranger), "key");
    }

    function test_WhenTheAccountRegistersAgainInItsRole() external {
        vm.prank(buyer);
        market.register(IMarketplace.Role.ModelBuyer, bytes32(uint256(7)));
        vm.assertEq(market.exchangeKeyOf(0, buyer), bytes32(uint256(7)), "new key");
    }

    function test_WhenATrainingIsOpen() external {
        uint256 training = open();
        join(training, 1);
        vm.prank(buyer);
        market.register(IMarketplace.Role.ModelBuyer, bytes32(uint256(7)));
        vm.prank(owner(0));
        market.register(IMarketplace.Role.DataOwner, bytes32(uint256(8)));
        vm.assertEq(market.exchangeKeyOf(training, buyer), keyOf(buyer), "the buyer's key in the training");
        vm.assertEq(market.exchangeKeyOf(training, owner(0)), keyOf(owner(0)), "the owner's key in the training");
    }
}
