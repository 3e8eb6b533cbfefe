// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {BondTest} from "./support/BondTest.sol";
import {MoodyToken} from "./support/MoodyToken.sol";

contract ReleaseBondTest is BondTest {
    function test_RevertWhen_TheTrainingDoesNotExist() external {
        refuseRelease(9, buyer, wrongStatus(9, IMarketplace.Status.None));
    }

    function test_RevertWhen_TheTrainingIsOpen() external {
        uint256 training = openBonded(bondedTerms(NATIVE));
        joinBonded(training, 4);
        vm.warp(joinUntil(training) + 365 days);
        refuseRelease(training, buyer, wrongStatus(training, IMarketplace.Status.Open));
        refuseRelease(training, owner(0), wrongStatus(training, IMarketplace.Status.Open));
    }

    function test_RevertWhen_TheTrainingIsRunning() external {
        uint256 training = runningBonded(NATIVE, 4, 0);
        vm.warp(endsAt(training) + 365 days);
        refuseRelease(training, owner(0), wrongStatus(training, IMarketplace.Status.Running));
        refuseRelease(training, aggregator, wrongStatus(training, IMarketplace.Status.Running));
    }

    /// The attack: a party settles and is gone with its bond before anybody has seen what it signed.
    function test_RevertWhen_AFaultCanStillBeShown() external {
        uint256 training = settledBonded(NATIVE, 4);
        uint64 until = uint64(block.timestamp) + ROUND_SECONDS / 4;
        address[3] memory all = [buyer, aggregator, owner(0)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.assertEq(market.bondUntil(training, all[i]), until, "until when");
            refuseRelease(training, all[i], tooEarly(training, until));
        }
        vm.warp(until - 1);
        for (uint256 i = 0; i < 3; ++i) refuseRelease(training, all[i], tooEarly(training, until));
    }

    function test_RevertWhen_AStrangerAsksForABond() external {
        uint256 training = settledBonded(NATIVE, 4);
        vm.warp(market.bondUntil(training, stranger));
        refuseRelease(training, stranger, noBond(training, stranger));
        refuseRelease(training, charity, noBond(training, charity));
        refuseRelease(training, owner(4), noBond(training, owner(4)));
        vm.assertEq(market.totalBonds(NATIVE), BUYER_BOND + AGGREGATOR_BOND + 4 * uint256(OWNER_BOND), "nothing moved");
    }

    function test_RevertWhen_AnOwnerAsksTwice() external {
        uint256 training = settledBonded(NATIVE, 4);
        vm.warp(market.bondUntil(training, owner(2)));
        address[3] memory all = [buyer, aggregator, owner(2)];
        for (uint256 i = 0; i < 3; ++i) {
            release(training, all[i]);
            refuseRelease(training, all[i], noBond(training, all[i]));
        }
        vm.assertEq(market.totalBonds(NATIVE), 3 * uint256(OWNER_BOND), "the others' bonds");
    }

    function test_RevertWhen_ABondIsLost() external {
        uint256 training = runningBonded(NATIVE, 5, 2);
        sendRecord(recordOf(training, 1, true));
        market.settle(training);
        vm.warp(market.bondUntil(training, owner(1)));
        refuseRelease(training, owner(1), noBond(training, owner(1)));
    }

    function test_WhenTheTrainingIsSettled() external {
        home(settledBonded(NATIVE, 4), NATIVE, 4);
    }

    function test_WhenBondsAreInAToken() external {
        home(settledBonded(address(moody), 4), address(moody), 4);
    }

    function test_WhenTheBuyerCancelsWhileOpen() external {
        uint256 training = openBonded(bondedTerms(NATIVE));
        joinBonded(training, 2);
        vm.prank(buyer);
        market.cancel(training);
        vm.warp(market.bondUntil(training, buyer));
        vm.assertEq(release(training, buyer), BUYER_BOND, "buyer");
        vm.assertEq(release(training, owner(0)), OWNER_BOND, "owner");
        vm.assertEq(release(training, owner(1)), OWNER_BOND, "owner");
        refuseRelease(training, aggregator, noBond(training, aggregator));
        assertHeld(NATIVE, 0, 0);
    }

    function test_WhenTheTokenRefusesToPay() external {
        uint256 training = settledBonded(address(moody), 4);
        vm.warp(market.bondUntil(training, aggregator));
        moody.set(MoodyToken.Mood.Reverts);
        uint256 before = market.creditOf(address(moody), aggregator);
        release(training, aggregator);
        vm.prank(aggregator);
        vm.expectRevert(transferFailed(aggregator));
        market.withdraw(address(moody), address(0));
        vm.assertEq(market.creditOf(address(moody), aggregator), before + AGGREGATOR_BOND, "the credit stays");
    }

    /// From every status, whoever it is that is left: time, its own calls, and what anyone may call.
    /// forge-config: default.fuzz.runs = 48
    function testFuzz_WhenAnySinglePartyIsHonestInAnyStatus(uint256 seed) external {
        uint256 training = openBonded(bondedTerms(NATIVE));
        joinBonded(training, between(seed, 1, 6));
        uint256 stage = seed >> 8 & 3;
        (address[] memory seats,,) = market.ownersOf(training);
        address honest = seats[(seed >> 16) % seats.length];
        if (seats.length > 3 && stage > 0) {
            closeBonded(training);
            honest = (seed >> 32) % 3 == 0 ? aggregator : (seed >> 32) % 3 == 1 ? buyer : honest;
            vm.roll(drawBlock(training) + 1);
            uint256 silent = stage == 1 ? seed >> 64 : 0;
            revealAll(training, silent & ~(1 << ((seed >> 16) % seats.length)));
        }
        if (seats.length > 3 && stage > 1) market.draw(training);
        if (seats.length > 3 && stage > 2) sendRecord(recordOf(training, 1, seed >> 40 & 1 == 1));
        uint256 bond = market.bondOf(training, honest);
        endAlone(training, honest);
        vm.assertEq(release(training, honest), bond, "its bond comes home");
        vm.assertLe(1, bond, "and it had one");
    }

    // ---- pieces ----

    function endAlone(uint256 training, address honest) private {
        for (uint256 i = 0; i < 3; ++i) {
            vm.warp(vm.getBlockTimestamp() + 10_000);
            attempt(honest, abi.encodeCall(IMarketplace.cancel, (training)));
            attempt(honest, abi.encodeCall(IMarketplace.settle, (training)));
        }
        vm.assertLe(1, market.bondUntil(training, honest), "it is over");
    }

    function attempt(address account, bytes memory data) private {
        vm.prank(account);
        (bool done,) = address(market).call(data);
        done; // refused is as good, if it is over in the end
    }

    function home(uint256 training, address token, uint256 owners) private {
        vm.warp(market.bondUntil(training, buyer));
        bring(training, token, buyer, BUYER_BOND);
        bring(training, token, aggregator, AGGREGATOR_BOND);
        for (uint256 seat = 0; seat < owners; ++seat) bring(training, token, owner(seat), OWNER_BOND);
        vm.assertEq(market.totalBonds(token), 0, "all are home");
        vm.assertEq(market.creditOf(token, charity), 0, "none is lost");
    }

    function bring(uint256 training, address token, address account, uint256 bond) private {
        uint256 before = market.creditOf(token, account);
        vm.expectEmit(address(market));
        emit IMarketplace.Credited(training, account, IMarketplace.Share.Bond, token, bond);
        vm.assertEq(release(training, account), bond, "amount");
        vm.assertEq(market.creditOf(token, account), before + bond, "credit");
        vm.assertEq(market.bondOf(training, account), 0, "no bond any more");
    }
}
