// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {TestToken} from "../src/TestToken.sol";
import {EndedTest} from "./support/EndedTest.sol";

/// What a transaction costs, calldata and its base fee of 21000 included; snapshots/Gas.json keeps the figures.
/// forge-config: default.isolate = true
contract GasTest is EndedTest {
    function test_Register() external {
        register(owner(0), IMarketplace.Role.DataOwner);
        vm.snapshotGasLastCall("Gas", "register");
    }

    function test_Token() external {
        TestToken token = new TestToken();
        token.mint(buyer, 2 * DEPOSIT);
        vm.prank(buyer);
        token.approve(address(market), 2 * DEPOSIT);
        vm.snapshotGasLastCall("Gas", "approve");
        IMarketplace.Terms memory terms = termsIn(address(token));
        vm.prank(buyer);
        market.open(terms, DEPOSIT);
        vm.prank(buyer);
        uint256 training = market.open(terms, DEPOSIT);
        vm.snapshotGasLastCall("Gas", "open, a token");
        vm.prank(buyer);
        market.cancel(training);
        vm.prank(buyer);
        market.withdraw(address(token), address(0));
        vm.snapshotGasLastCall("Gas", "withdraw, a token");
    }

    function test_FourOwners() external {
        measure("4 owners", 4);
    }

    function test_TenOwners() external {
        measure("10 owners", 10);
    }

    function test_SixtyFourOwners() external {
        measure("64 owners", 64);
    }

    function test_AllSeats() external {
        measure("256 owners", 256);
    }

    function measure(string memory label, uint256 owners) private {
        uint256 before = vm.snapshotState();
        uint256 training = running(owners);
        vm.warp(endsAt(training));
        market.cancel(training);
        snapshot("cancel, the roles drawn", label);
        claimAs(training, owner(0));
        snapshot("claim, of a cancelled training", label);
        vm.revertToState(before);
        training = open();
        snapshot("open", label);
        join(training, owners);
        snapshot("join, the last owner", label);
        close(training);
        snapshot("close", label);
        vm.roll(drawBlock(training) + 1);
        revealAs(training, owner(0));
        snapshot("reveal, the first owner", label);
        revealAll(training, 1);
        snapshot("reveal, the last owner", label);
        market.draw(training);
        snapshot("draw", label);
        sendRecord(recordOf(training, 1, false));
        snapshot("recordRound, the first", label);
        sendRecord(recordOf(training, 2, true));
        snapshot("recordRound, a later one", label);
        market.settle(training);
        snapshot("settle", label);
        (, uint256 trainers,) = market.ownersOf(training);
        (uint256 trainer,) = pair(trainers);
        claimAs(training, owner(trainer));
        snapshot("claim, the first owner", label);
        for (uint256 seat = 0; seat < owners; ++seat) {
            if (seat != trainer) claimAs(training, owner(seat));
        }
        snapshot("claim, the last owner", label);
        vm.prank(aggregator);
        market.withdraw(NATIVE, address(0));
        snapshot("withdraw", label);
    }

    function snapshot(string memory what, string memory label) private {
        vm.snapshotGasLastCall("Gas", string.concat(what, ", ", label));
    }
}
