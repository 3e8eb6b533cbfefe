// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {MarketplaceTest} from "./support/MarketplaceTest.sol";

contract OpenTest is MarketplaceTest {
    function test_RevertWhen_TheCallerIsNoBuyer() external {
        vm.deal(aggregator, DEPOSIT);
        vm.prank(aggregator);
        vm.expectRevert(
            abi.encodeWithSelector(
                IMarketplace.Marketplace_WrongRole.selector, aggregator, IMarketplace.Role.ModelBuyer
            )
        );
        market.open{value: DEPOSIT}(defaultTerms(), DEPOSIT);
    }

    function test_RevertWhen_TheAggregatorIsNotRegisteredAsOne() external {
        IMarketplace.Terms memory terms = defaultTerms();
        terms.aggregator = stranger;
        refuse(
            terms,
            DEPOSIT,
            abi.encodeWithSelector(
                IMarketplace.Marketplace_WrongRole.selector, stranger, IMarketplace.Role.FederatedAggregator
            )
        );
    }

    function test_RevertWhen_TheRequestHashIsZero() external {
        IMarketplace.Terms memory terms = defaultTerms();
        terms.requestHash = 0;
        refuseField(terms, "requestHash");
    }

    function test_RevertWhen_TheRoundsAreNone() external {
        IMarketplace.Terms memory terms = defaultTerms();
        terms.rounds = 0;
        refuseField(terms, "rounds");
    }

    function test_RevertWhen_TheRoundsAreMoreThanTenThousand() external {
        IMarketplace.Terms memory terms = defaultTerms();
        terms.rounds = 10_001;
        refuseField(terms, "rounds");
    }

    function test_RevertWhen_FewerThanFourOwnersSuffice() external {
        IMarketplace.Terms memory terms = defaultTerms();
        terms.minOwners = 3;
        refuseField(terms, "minOwners");
    }

    function test_RevertWhen_TheMostOwnersAreFewerThanTheLeast() external {
        IMarketplace.Terms memory terms = defaultTerms();
        (terms.minOwners, terms.maxOwners) = (6, 5);
        refuseField(terms, "maxOwners");
    }

    function test_RevertWhen_TheMostOwnersAreMoreThanTheSeats() external {
        IMarketplace.Terms memory terms = defaultTerms();
        terms.maxOwners = 257;
        refuseField(terms, "maxOwners");
    }

    /// The attack: a deposit, and the owners' budgets, locked for 136 years.
    function test_RevertWhen_TheTimesAreLongerThanTheirBounds() external {
        IMarketplace.Terms memory terms = defaultTerms();
        terms.roundSeconds = 30 days + 1;
        refuseField(terms, "roundSeconds");
        (terms.roundSeconds, terms.joinSeconds) = (30 days, 365 days + 1);
        refuseField(terms, "joinSeconds");
        terms.joinSeconds = 365 days;
        open(terms);
    }

    function test_RevertWhen_TheJoiningTimeIsZero() external {
        IMarketplace.Terms memory terms = defaultTerms();
        terms.joinSeconds = 0;
        refuseField(terms, "joinSeconds");
    }

    function test_RevertWhen_TheRoundTimeIsZero() external {
        IMarketplace.Terms memory terms = defaultTerms();
        terms.roundSeconds = 0;
        refuseField(terms, "roundSeconds");
    }

    function test_RevertWhen_TheTimeToRevealIsOutOfBounds() external {
        IMarketplace.Terms memory terms = defaultTerms();
        terms.revealSeconds = 0;
        refuseField(terms, "revealSeconds");
        terms.revealSeconds = 7 days + 1;
        refuseField(terms, "revealSeconds");
        terms.revealSeconds = 7 days;
        open(terms);
    }

    function test_RevertWhen_ThePriceOfLeavingIsOverItsBound() external {
        IMarketplace.Terms memory terms = defaultTerms();
        terms.abandonBps = 1001;
        refuseField(terms, "abandonBps");
        terms.abandonBps = 1000;
        open(terms);
    }

    function test_RevertWhen_TheSharesDoNotAddUp() external {
        IMarketplace.Terms memory terms = defaultTerms();
        terms.contributionBps += 1;
        refuseField(terms, "shares");
        terms.contributionBps -= 2;
        refuseField(terms, "shares");
        // As 16-bit numbers these four would wrap round to 10000.
        (terms.contributionBps, terms.participationBps) = (65_535, 10_001);
        (terms.validationBps, terms.aggregationBps) = (0, 0);
        refuseField(terms, "shares");
    }

    /// Nobody's admission would be nothing but an open door: there is no such member.
    function test_RevertWhen_NobodyIsToAdmitOwners() external {
        IMarketplace.Terms memory terms = defaultTerms();
        bytes memory call = abi.encodeCall(IMarketplace.open, (terms, DEPOSIT));
        uint256 last = 4 + 14 * 32; // the fifteenth word of the terms
        vm.assertEq(uint256(uint8(call[last + 31])), uint256(IMarketplace.Admission.Both), "the field");
        call[last + 31] = bytes1(uint8(type(IMarketplace.Admission).max) + 1);
        vm.prank(buyer);
        (bool opened,) = address(market).call{value: DEPOSIT}(call);
        vm.assertTrue(!opened, "opened");
        call[last + 31] = bytes1(uint8(type(IMarketplace.Admission).max));
        vm.prank(buyer);
        (opened,) = address(market).call{value: DEPOSIT}(call);
        vm.assertTrue(opened, "the last member is one");
    }

    function test_RevertWhen_TheDepositIsAWeiTooLow() external {
        IMarketplace.Terms memory terms = defaultTerms();
        uint256 needed = leastDeposit(terms);
        refuse(
            terms,
            needed - 1,
            abi.encodeWithSelector(IMarketplace.Marketplace_DepositTooLow.selector, needed - 1, needed)
        );
    }

    function test_RevertWhen_TheDepositDoesNotFitItsArithmetic() external {
        vm.deal(buyer, 1 << 128);
        refuse(
            defaultTerms(),
            1 << 128,
            abi.encodeWithSelector(IMarketplace.Marketplace_InvalidTerms.selector, bytes32("deposit"))
        );
    }

    function test_RevertWhen_TheEtherSentIsNotTheDeposit() external {
        for (uint256 sent = DEPOSIT - 1; sent <= DEPOSIT + 1; sent += 2) {
            vm.prank(buyer);
            vm.expectRevert(abi.encodeWithSelector(IMarketplace.Marketplace_WrongValue.selector, sent, DEPOSIT));
            market.open{value: sent}(defaultTerms(), DEPOSIT);
        }
    }

    function test_WhenTheDepositIsTheLeast() external {
        IMarketplace.Terms memory terms = defaultTerms();
        uint256 needed = leastDeposit(terms);
        vm.prank(buyer);
        uint256 training = market.open{value: needed}(terms, needed);
        vm.assertEq(market.totalEscrow(NATIVE), needed, "escrow");
        assertStatus(training, IMarketplace.Status.Open);
    }

    function test_WhenTheTermsAreValid() external {
        IMarketplace.Terms memory terms = defaultTerms();
        vm.expectEmit(address(market));
        emit IMarketplace.Opened(1, buyer, aggregator, DEPOSIT, terms);
        uint256 training = open(terms);
        vm.assertEq(training, 1, "the first training");
        assertStatus(training, IMarketplace.Status.Open);
        (address who, uint256 deposit, IMarketplace.Terms memory stored) = market.termsOf(training);
        vm.assertEq(who, buyer, "buyer");
        vm.assertEq(deposit, DEPOSIT, "deposit");
        vm.assertEq(keccak256(abi.encode(stored)), keccak256(abi.encode(terms)), "terms");
        vm.assertEq(joinUntil(training), block.timestamp + JOIN_SECONDS, "joinUntil");
        vm.assertEq(market.totalEscrow(NATIVE), DEPOSIT, "escrow");
        vm.assertEq(address(market).balance, DEPOSIT, "balance");
        vm.assertEq(market.exchangeKeyOf(training, aggregator), keyOf(aggregator), "the aggregator's key");
        vm.assertEq(open(terms), 2, "the second training");
    }

    function leastDeposit(IMarketplace.Terms memory terms) private pure returns (uint256) {
        return 10_000 * uint256(terms.rounds) * terms.maxOwners;
    }

    function refuseField(IMarketplace.Terms memory terms, bytes32 field) private {
        refuse(terms, DEPOSIT, abi.encodeWithSelector(IMarketplace.Marketplace_InvalidTerms.selector, field));
    }

    function refuse(IMarketplace.Terms memory terms, uint256 deposit, bytes memory refusal) private {
        vm.prank(buyer);
        vm.expectRevert(refusal);
        market.open{value: deposit}(terms, deposit);
    }
}
