// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {MarketplaceTest} from "./support/MarketplaceTest.sol";

contract JoinTest is MarketplaceTest {
    function test_RevertWhen_TheCallerIsNoDataOwner() external {
        uint256 training = open();
        refuse(training, buyer, wrongRole(buyer));
        refuse(training, aggregator, wrongRole(aggregator));
        refuse(training, stranger, wrongRole(stranger));
    }

    function test_RevertWhen_TheTrainingDoesNotExist() external {
        register(owner(0), IMarketplace.Role.DataOwner);
        refuse(9, owner(0), wrongStatus(9, IMarketplace.Status.None));
    }

    function test_RevertWhen_JoiningHasClosed() external {
        uint256 training = drawing(4);
        register(owner(4), IMarketplace.Role.DataOwner);
        refuse(training, owner(4), wrongStatus(training, IMarketplace.Status.Drawing));
    }

    function test_RevertWhen_TheJoiningTimeIsOver() external {
        uint256 training = open();
        register(owner(0), IMarketplace.Role.DataOwner);
        uint64 until = joinUntil(training);
        vm.warp(until);
        refuse(
            training, owner(0), abi.encodeWithSelector(IMarketplace.Marketplace_TooLate.selector, training, until)
        );
    }

    function test_RevertWhen_TheOwnerHasASeat() external {
        uint256 training = open();
        join(training, 2);
        refuse(
            training,
            owner(0),
            abi.encodeWithSelector(IMarketplace.Marketplace_AlreadyJoined.selector, training, owner(0))
        );
    }

    function test_RevertWhen_AllSeatsAreTaken() external {
        IMarketplace.Terms memory terms = defaultTerms();
        terms.maxOwners = 5;
        uint256 training = open(terms);
        join(training, 5);
        register(owner(5), IMarketplace.Role.DataOwner);
        refuse(
            training,
            owner(5),
            abi.encodeWithSelector(IMarketplace.Marketplace_NoSeatLeft.selector, training, uint16(5))
        );
    }

    function test_RevertWhen_TheOwnerCommitsToNothing() external {
        uint256 training = open();
        register(owner(0), IMarketplace.Role.DataOwner);
        bytes32 digest = nonceDigest(training, owner(0));
        vm.prank(owner(0));
        vm.expectRevert(invalid("commitment"));
        market.join(training, 0, digest, "", "");
        vm.prank(owner(0));
        vm.expectRevert(invalid("nonceDigest"));
        market.join(training, commitmentOf(owner(0)), 0, "", "");
    }

    function test_WhenTheOwnerIsInTime() external {
        uint256 training = open();
        join(training, 1);
        register(owner(1), IMarketplace.Role.DataOwner);
        vm.warp(joinUntil(training) - 1);
        (bytes memory byAggregator, bytes memory byBuyer) = admissions(training, owner(1));
        bytes32 digest = nonceDigest(training, owner(1));
        vm.expectEmit(address(market));
        emit IMarketplace.Joined(training, owner(1), 1, commitmentOf(owner(1)), digest);
        vm.prank(owner(1));
        market.join(training, commitmentOf(owner(1)), digest, byAggregator, byBuyer);
        (address[] memory seats,,) = market.ownersOf(training);
        vm.assertEq(seats.length, 2, "seats");
        vm.assertEq(seats[1], owner(1), "the next seat");
        vm.assertEq(market.exchangeKeyOf(training, owner(1)), keyOf(owner(1)), "key");
        (bytes32 commitment, bytes32 nonce) = market.joinedWith(training, owner(1));
        vm.assertEq(commitment, commitmentOf(owner(1)), "commitment");
        vm.assertEq(nonce, digest, "the nonce's digest");
    }

    function invalid(bytes32 argument) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketplace.Marketplace_InvalidJoin.selector, argument);
    }

    function wrongRole(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IMarketplace.Marketplace_WrongRole.selector, account, IMarketplace.Role.DataOwner
        );
    }

    function refuse(uint256 training, address account, bytes memory refusal) private {
        (bytes memory byAggregator, bytes memory byBuyer) = admissions(training, account);
        vm.prank(account);
        vm.expectRevert(refusal);
        market.join(training, commitmentOf(account), nonceDigest(training, account), byAggregator, byBuyer);
    }
}
