// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {BondHandler} from "./support/BondHandler.sol";
import {Handler} from "./support/Handler.sol";
import {Vm} from "./support/Vm.sol";

/// What holds after any sequence of anybody's calls.
contract MarketplaceInvariantTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Handler private handler;
    IMarketplace private market;

    function setUp() external {
        handler = new Handler();
        market = handler.deployed();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0].addr = address(handler);
        bytes4[] memory selectors = new bytes4[](13);
        selectors[0] = Handler.openTraining.selector;
        (selectors[1], selectors[2], selectors[3]) =
            (Handler.advance.selector, Handler.advance.selector, Handler.advance.selector);
        selectors[4] = Handler.meddle.selector;
        selectors[5] = Handler.withdraw.selector;
        selectors[6] = Handler.waitFor.selector;
        selectors[7] = Handler.force.selector;
        selectors[8] = Handler.turnToken.selector;
        (selectors[9], selectors[10], selectors[11]) =
            (BondHandler.release.selector, BondHandler.accuse.selector, BondHandler.doubt.selector);
        selectors[12] = Handler.claim.selector;
        targets[0].selectors = selectors;
    }

    /// The handler itself fails when a status moves along no allowed edge.
    function invariant_EveryUnitOfEachTokenIsEscrowABondOrSomebodysCredit() external view {
        address[3] memory tokens = [handler.token(0), handler.token(1), handler.token(2)];
        (uint256[3] memory escrows, uint256[3] memory dusts) = owed(tokens);
        address[] memory all = handler.accounts();
        for (uint256 i = 0; i < 3; ++i) {
            address token = tokens[i];
            uint256 held = market.totalEscrow(token);
            vm.assertTrue(
                escrows[i] <= held && held <= escrows[i] + dusts[i], "the escrow is deposits and what is not claimed"
            );
            uint256 given = handler.bonded(token);
            vm.assertEq(market.totalBonds(token), given, "the bonds are those that are neither lost nor released");
            uint256 sum = held + given + credits(token, all) + handler.forced(token);
            vm.assertEq(handler.held(token, address(market)), sum, "balance = escrow + bonds + credits");
        }
    }

    /// Runs at the end of every sequence: no state locks money.
    function afterInvariant() external {
        for (uint256 i = 0; i < 3; ++i) {
            address token = handler.token(i);
            vm.assertEq(market.totalBonds(token), bonds(token), "each bond is an account's");
        }
        handler.endEverything();
        for (uint256 i = 0; i < 3; ++i) {
            address token = handler.token(i);
            vm.assertEq(market.totalEscrow(token), 0, "a stranger could end every training");
            vm.assertEq(market.totalBonds(token), 0, "every bond came home, or was lost");
            vm.assertEq(handler.held(token, address(market)), handler.forced(token), "and everybody could withdraw");
        }
    }

    /// The invariants say something only if such sequences come into every status.
    function test_TheHandlerReachesEveryStatus() external {
        for (uint256 i = 0; i < 800; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            uint256 choice = (seed >> 200) % 13;
            if (choice == 0) handler.openTraining(seed);
            if (choice >= 1 && choice <= 4) handler.advance(seed);
            if (choice == 5) handler.meddle(seed);
            if (choice == 6) handler.withdraw(seed);
            if (choice == 7) handler.waitFor(seed);
            if (choice == 8) handler.force(seed);
            if (choice == 9) handler.turnToken(seed);
            if (choice == 10) handler.release(seed);
            if (choice == 11) handler.accuse(seed);
            if (choice == 12) handler.doubt(seed);
            handler.claim(seed >> 8);
        }
        for (uint256 status = 1; status < 6; ++status) {
            vm.assertTrue(handler.reached(status) > 1, "every status is reached");
        }
        for (uint256 i = 0; i < 3; ++i) {
            vm.assertTrue(handler.openedIn(handler.token(i)) > 1, "trainings are opened in every token");
        }
        vm.assertTrue(handler.rounds() > 10, "rounds are recorded");
        vm.assertTrue(handler.withdrawals() > 10, "credits are withdrawn");
        vm.assertTrue(handler.releases() > 1, "bonds come home");
        vm.assertTrue(handler.faults(1) > 1, "bonds are lost for no reveal");
        vm.assertTrue(handler.faults(2) > 1, "for two records");
        vm.assertTrue(handler.faults(3) > 1, "and for a false opening");
        uint256 lost;
        for (uint256 i = 0; i < 3; ++i) lost += market.creditOf(handler.token(i), handler.accounts()[3]);
        vm.assertTrue(lost > 0, "to whom the terms say");
        vm.assertTrue(handler.claims() > 10, "pay is claimed");
    }

    /// Of each token, the deposits of trainings that are not over, and what owners of the others can claim; and of how
    /// many owners something may be left over of the division.
    function owed(address[3] memory tokens)
        private
        view
        returns (uint256[3] memory sums, uint256[3] memory dusts)
    {
        uint256 trainings = handler.trainings();
        for (uint256 training = 1; training <= trainings; ++training) {
            IMarketplace.Status status = market.statusOf(training);
            address token = handler.tokenOf(training);
            bool over = status == IMarketplace.Status.Settled || status == IMarketplace.Status.Cancelled;
            uint256 i = token == tokens[0] ? 0 : token == tokens[1] ? 1 : 2;
            if (!over) sums[i] += handler.depositOf(training);
            (uint256 unclaimed, uint256 owners) = claimable(training);
            sums[i] += unclaimed;
            if (unclaimed > 0) dusts[i] += owners;
        }
    }

    function bonds(address token) private view returns (uint256 sum) {
        address[] memory all = handler.accounts();
        for (uint256 training = 1; training <= handler.trainings(); ++training) {
            if (handler.tokenOf(training) != token) continue;
            for (uint256 i = 0; i < all.length; ++i) sum += market.bondOf(training, all[i]);
        }
    }

    function claimable(uint256 training) private view returns (uint256 sum, uint256 owners) {
        (address[] memory seats,,) = market.ownersOf(training);
        for (uint256 i = 0; i < seats.length; ++i) sum += market.claimableOf(training, seats[i]);
        return (sum, seats.length);
    }

    function credits(address token, address[] memory all) private view returns (uint256 sum) {
        for (uint256 i = 0; i < all.length; ++i) sum += market.creditOf(token, all[i]);
    }
}
