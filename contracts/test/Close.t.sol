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

    function test_RevertWhen_TheJoiningIsClosed() external {
        uint256 training = drawing(4);
        refuse(training, aggregator, wrongStatus(training, IMarketplace.Status.Drawing));
    }

    /// The attack: the aggregator looked at the draw, waited until its block's hash was gone, and closed once more.
    function test_RevertWhen_TheHashOfTheDrawBlockIsGone() external {
        uint256 training = drawing(4);
        uint64 fixedBlock = drawBlock(training);
        vm.roll(fixedBlock + 257);
        refuse(training, aggregator, wrongStatus(training, IMarketplace.Status.Drawing));
        vm.warp(revealUntil(training) + 1);
        refuse(training, stranger, wrongStatus(training, IMarketplace.Status.Drawing));
        vm.assertEq(drawBlock(training), fixedBlock, "the draw block stays");
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

    function expectClosed(uint256 training, address account) private {
        vm.expectEmit(address(market));
        emit IMarketplace.Closed(training, block.number + 1);
        vm.prank(account);
        market.close(training);
        assertStatus(training, IMarketplace.Status.Drawing);
        vm.assertEq(drawBlock(training), block.number + 1, "draw block");
        vm.assertEq(revealUntil(training), block.timestamp + REVEAL_SECONDS, "until when to reveal");
        vm.assertEq(roundUntil(training), revealUntil(training) + ROUND_SECONDS, "deadline");
    }

    function refuse(uint256 training, address account, bytes memory refusal) private {
        vm.prank(account);
        vm.expectRevert(refusal);
        market.close(training);
    }
}
