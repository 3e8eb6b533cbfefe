// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {MarketplaceTest} from "./support/MarketplaceTest.sol";

contract CloseTest is MarketplaceTest {
    function test_RevertWhen_TheTrainingDoesNotExist() external {
        refuse(9, aggregator, wrongStatus(9, IMarketplace.Status.None));
    }

    function test_RevertWhen_TooFewOwnersHaveJoined() external {
        uint256 training = open();
        join(training, 3);
        refuse(training, aggregator, tooEarly(training, joinUntil(training)));
        vm.warp(joinUntil(training) + 1);
        refuse(training, stranger, tooEarly(training, joinUntil(training)));
    }

    function test_RevertWhen_SomebodyElseComesBeforeTheJoiningTimeIsOver() external {
        uint256 training = open();
        join(training, 4);
        vm.warp(joinUntil(training) - 1);
        refuse(training, stranger, tooEarly(training, joinUntil(training)));
        refuse(training, buyer, tooEarly(training, joinUntil(training)));
        refuse(training, owner(0), tooEarly(training, joinUntil(training)));
    }

    function test_RevertWhen_TheDrawBlockIsStillKnown() external {
        uint256 training = drawing(4);
        uint256 last = drawBlock(training) + 256;
        vm.roll(last);
        refuse(training, aggregator, tooEarly(training, uint64(last)));
    }

    function test_RevertWhen_TheTrainingIsRunning() external {
        uint256 training = running(4);
        refuse(training, aggregator, wrongStatus(training, IMarketplace.Status.Running));
    }

    function test_WhenTheAggregatorClosesWithEnoughOwners() external {
        uint256 training = open();
        join(training, 4);
        expectClosed(training, aggregator);
    }

    function test_WhenAnyoneClosesAfterTheJoiningTime() external {
        uint256 training = open();
        join(training, 4);
        vm.warp(joinUntil(training));
        expectClosed(training, stranger);
    }

    function test_WhenTheHashOfTheDrawBlockIsGone() external {
        uint256 training = drawing(4);
        uint64 until = roundUntil(training);
        vm.roll(drawBlock(training) + 257);
        vm.warp(until - 1);
        vm.prank(stranger);
        market.close(training);
        vm.assertEq(drawBlock(training), block.number + 1, "another draw block");
        vm.assertEq(roundUntil(training), until, "the deadline stays");
        assertStatus(training, IMarketplace.Status.Drawing);
    }

    function expectClosed(uint256 training, address account) private {
        vm.expectEmit(address(market));
        emit IMarketplace.Closed(training, block.number + 1);
        vm.prank(account);
        market.close(training);
        assertStatus(training, IMarketplace.Status.Drawing);
        vm.assertEq(drawBlock(training), block.number + 1, "draw block");
        vm.assertEq(roundUntil(training), block.timestamp + ROUND_SECONDS, "deadline");
    }

    function refuse(uint256 training, address account, bytes memory refusal) private {
        vm.prank(account);
        vm.expectRevert(refusal);
        market.close(training);
    }
}
