// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {TestToken} from "../src/TestToken.sol";
import {EndedTest} from "./support/EndedTest.sol";
import {OpeningTest} from "./support/OpeningTest.sol";

/// What a transaction costs, calldata and its base fee of 21000 included; snapshots/Gas.json keeps the figures.
/// forge-config: default.isolate = true
contract GasTest is EndedTest, OpeningTest {
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

    function test_Bonds() external {
        uint256 training = openBonded(bondedTerms(NATIVE));
        vm.snapshotGasLastCall("Gas", "open, with a bond");
        joinBonded(training, 5);
        vm.snapshotGasLastCall("Gas", "join, with a bond");
        closeBonded(training);
        vm.snapshotGasLastCall("Gas", "close, with a bond");
        vm.roll(drawBlock(training) + 1);
        revealAll(training, 1);
        vm.warp(revealUntil(training));
        market.draw(training);
        vm.snapshotGasLastCall("Gas", "draw, one of five bonds lost");
        IMarketplace.RoundRecord memory first = recordOf(training, 1, true);
        IMarketplace.RoundRecord memory second = recordOf(training, 1, false);
        market.accuseOfTwoRecords(
            first,
            signed(AGGREGATOR_KEY, market.hashRecord(first)),
            second,
            signed(AGGREGATOR_KEY, market.hashRecord(second)),
            aggregator
        );
        vm.snapshotGasLastCall("Gas", "accuseOfTwoRecords");
        sendRecord(first);
        market.settle(training);
        vm.warp(market.bondUntil(training, buyer));
        release(training, buyer);
        vm.snapshotGasLastCall("Gas", "releaseBond");
    }

    /// The dearest ends of a joining: with all seats taken, as many bonds are lost as there can be.
    function test_NearlyAllBondsLost() external {
        uint256 training = drawingBonded(NATIVE, 256);
        vm.roll(drawBlock(training) + 1);
        revealAs(training, owner(255));
        uint256 oneRevealed = vm.snapshotState();
        vm.warp(revealUntil(training));
        market.cancel(training);
        snapshotBelowLimit("cancel, 255 of 256 bonds lost");
        vm.assertEq(market.totalBonds(NATIVE), OWNER_BOND + AGGREGATOR_BOND + BUYER_BOND, "one owner's is left");
        vm.revertToState(oneRevealed);
        for (uint256 seat = 252; seat < 255; ++seat) revealAs(training, owner(seat));
        vm.warp(revealUntil(training));
        market.draw(training);
        snapshotBelowLimit("draw, 252 of 256 bonds lost");
        vm.assertEq(market.totalBonds(NATIVE), 4 * OWNER_BOND + AGGREGATOR_BOND + BUYER_BOND, "four owners' are left");
    }

    function test_FalseOpeningBeforeOsaka() external {
        measureOpening("prague", 2048, 16);
        measureOpening("prague", 3072, 24);
    }

    function test_FalseOpeningSinceOsaka() external {
        measureOpening("osaka", 2048, 7);
        measureOpening("osaka", 3072, 3);
    }

    /// All of a check, in calls of so many steps, and the dearest of these calls.
    function measureOpening(string memory prices, uint256 bits, uint256 steps) private {
        uint256 training = runningBonded(NATIVE, 4, 0);
        vm.setEvmVersion(prices);
        IMarketplace.Opening memory opening = trueOpening(training, bits, bits / 256);
        spoil(opening.plaintext);
        (uint256 sum, uint256 most, uint256 left) = (0, 0, bits / 128);
        string memory label = string.concat("accuseOfFalseOpening, ", bits == 2048 ? "2048" : "3072", " bits, ", prices);
        while (left > 0) {
            uint256 done = bits / 128 - left;
            left = accuse(opening, done == 0 ? bytes("") : powerAfter(opening, done), steps);
            uint256 used = vm.lastCallGas().gasTotalUsed;
            (sum, most) = (sum + used, used > most ? used : most);
        }
        vm.snapshotValue("Gas", string.concat(label, ", in all"), sum);
        vm.snapshotValue("Gas", string.concat(label, ", the dearest call"), most);
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

    /// No transaction may take more gas (EIP-7825), and a block has several times as much.
    function snapshotBelowLimit(string memory what) private {
        vm.snapshotGasLastCall("Gas", what);
        vm.assertTrue(vm.lastCallGas().gasTotalUsed < 1 << 24, what);
    }

    function snapshot(string memory what, string memory label) private {
        vm.snapshotGasLastCall("Gas", string.concat(what, ", ", label));
    }
}
