// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {TestToken} from "../src/TestToken.sol";
import {BondTest} from "./support/BondTest.sol";
import {Hook, MoodyToken} from "./support/MoodyToken.sol";

/// An owner by contract that joins another training from inside the transfer of its bond.
contract Joiner is Hook {
    IMarketplace private immutable _market;
    bytes private _inner;

    constructor(IMarketplace market, MoodyToken token) {
        _market = market;
        market.register(IMarketplace.Role.DataOwner, bytes32(uint256(1)));
        token.approve(address(market), type(uint256).max);
    }

    function act(bytes calldata outer, bytes calldata inner) external {
        _inner = inner;
        (bool done, bytes memory answer) = address(_market).call(outer);
        if (done) return;
        assembly {
            revert(add(answer, 0x20), mload(answer))
        }
    }

    function onTransfer() external {
        bytes memory inner = _inner;
        delete _inner;
        if (inner.length == 0) return;
        (bool done,) = address(_market).call(inner);
        require(done, "the inner call is allowed");
    }
}

contract GiveBondTest is BondTest {
    function test_RevertWhen_BondsAreLostToNobody() external {
        IMarketplace.Terms memory terms = bondedTerms(NATIVE);
        terms.forfeitTo = address(0);
        refuseTerms(terms);
        (terms.ownerBond, terms.aggregatorBond) = (0, 0);
        refuseTerms(terms);
        (terms.ownerBond, terms.buyerBond) = (1, 0);
        refuseTerms(terms);
        (terms.ownerBond, terms.aggregatorBond) = (0, 1);
        refuseTerms(terms);
    }

    function test_RevertWhen_BondsAreLostToTheMarket() external {
        IMarketplace.Terms memory terms = bondedTerms(NATIVE);
        terms.forfeitTo = address(market);
        refuseTerms(terms);
    }

    /// The attack: whoever is credited with its own bond has nothing to lose.
    function test_RevertWhen_TheBuyerWouldLoseItsBondToItself() external {
        IMarketplace.Terms memory terms = bondedTerms(NATIVE);
        (terms.aggregatorBond, terms.forfeitTo) = (0, buyer);
        refuseTerms(terms);
    }

    function test_RevertWhen_TheAggregatorWouldLoseItsBondToItself() external {
        IMarketplace.Terms memory terms = bondedTerms(NATIVE);
        (terms.buyerBond, terms.forfeitTo) = (0, aggregator);
        refuseTerms(terms);
    }

    function test_RevertWhen_TheBuyerSendsTheDepositAlone() external {
        IMarketplace.Terms memory terms = bondedTerms(NATIVE);
        vm.prank(buyer);
        vm.expectRevert(wrongValue(DEPOSIT, DEPOSIT + BUYER_BOND));
        market.open{value: DEPOSIT}(terms, DEPOSIT);
        vm.prank(buyer);
        vm.expectRevert(wrongValue(DEPOSIT + BUYER_BOND + 1, DEPOSIT + BUYER_BOND));
        market.open{value: DEPOSIT + BUYER_BOND + 1}(terms, DEPOSIT);
    }

    function test_RevertWhen_AnOwnerSendsAnotherAmount() external {
        uint256 training = openBonded(bondedTerms(NATIVE));
        register(owner(0), IMarketplace.Role.DataOwner);
        vm.deal(owner(0), 100 ether);
        refuseJoin(training, OWNER_BOND - 1, wrongValue(OWNER_BOND - 1, OWNER_BOND));
        refuseJoin(training, OWNER_BOND + 1, wrongValue(OWNER_BOND + 1, OWNER_BOND));
        refuseJoin(training, 0, wrongValue(0, OWNER_BOND));
    }

    function test_RevertWhen_TheAggregatorSendsAnotherAmount() external {
        uint256 training = openBonded(bondedTerms(NATIVE));
        joinBonded(training, 4);
        vm.deal(aggregator, 100 ether);
        refuseClose(training, aggregator, AGGREGATOR_BOND - 1, wrongValue(AGGREGATOR_BOND - 1, AGGREGATOR_BOND));
        refuseClose(training, aggregator, AGGREGATOR_BOND + 1, wrongValue(AGGREGATOR_BOND + 1, AGGREGATOR_BOND));
    }

    function test_RevertWhen_EtherIsSentAndNoBondIsAskedFor() external {
        uint256 training = open();
        join(training, 4);
        register(owner(4), IMarketplace.Role.DataOwner);
        vm.deal(owner(4), 1);
        bytes memory data = joining(training, owner(4));
        vm.prank(owner(4));
        vm.expectRevert(wrongValue(1, 0));
        (bool done,) = address(market).call{value: 1}(data);
        vm.assertTrue(done, "as expected");
        vm.deal(aggregator, 1);
        refuseClose(training, aggregator, 1, wrongValue(1, 0));
    }

    function test_RevertWhen_EtherIsSentWithABondInAToken() external {
        uint256 training = openBonded(bondedTerms(address(moody)));
        register(owner(0), IMarketplace.Role.DataOwner);
        fund(address(moody), owner(0), OWNER_BOND);
        vm.deal(owner(0), OWNER_BOND);
        refuseJoin(training, OWNER_BOND, wrongValue(OWNER_BOND, 0));
    }

    function test_RevertWhen_AnOwnerHasNotAllowedItsBond() external {
        uint256 training = openBonded(bondedTerms(address(moody)));
        register(owner(0), IMarketplace.Role.DataOwner);
        moody.mint(owner(0), OWNER_BOND);
        refuseJoin(training, 0, transferFailed(owner(0)));
        fund(address(moody), owner(0), OWNER_BOND - 1);
        refuseJoin(training, 0, transferFailed(owner(0)));
    }

    function test_RevertWhen_TheTokenTakesAFeeOfABond() external {
        misbehave(MoodyToken.Mood.TakesFee, OWNER_BOND - OWNER_BOND / 100, AGGREGATOR_BOND - AGGREGATOR_BOND / 100);
    }

    function test_RevertWhen_TheTokenLiesAboutABond() external {
        misbehave(MoodyToken.Mood.Lies, 0, 0);
    }

    /// The attack: what is moved for the bond in one training would stand for that in another too.
    function test_RevertWhen_TheTokenCallsBackAndAnInnerBondWouldStandForTwo() external {
        uint256 training = openBonded(bondedTerms(address(moody)));
        uint256 other = openBonded(bondedTerms(address(moody)));
        Joiner joiner = new Joiner(market, moody);
        moody.mint(address(joiner), 2 * OWNER_BOND);
        moody.callBack(joiner);
        bytes memory outer = joining(training, address(joiner));
        bytes memory inner = joining(other, address(joiner));
        vm.expectRevert(wrongAmountMoved(2 * OWNER_BOND, OWNER_BOND));
        joiner.act(outer, inner);
        assertHeld(address(moody), 2 * DEPOSIT, 2 * BUYER_BOND);
        joiner.act(outer, "");
        joiner.act(inner, "");
        assertHeld(address(moody), 2 * DEPOSIT, 2 * (BUYER_BOND + OWNER_BOND));
    }

    function test_RevertWhen_SomebodyElseClosesInThePlaceOfABondedAggregator() external {
        uint256 training = openBonded(bondedTerms(NATIVE));
        joinBonded(training, 4);
        vm.warp(joinUntil(training) + 1);
        vm.deal(stranger, AGGREGATOR_BOND);
        refuseClose(training, stranger, AGGREGATOR_BOND, notParty(training, stranger));
        refuseClose(training, owner(0), 0, notParty(training, owner(0)));
    }

    function test_RevertWhen_ABondedAggregatorMayStillClose() external {
        uint256 training = openBonded(bondedTerms(NATIVE));
        joinBonded(training, 4);
        vm.warp(joinUntil(training) + REVEAL_SECONDS - 1);
        vm.prank(stranger);
        vm.expectRevert(notParty(training, stranger));
        market.cancel(training);
    }

    function test_WhenABondedAggregatorClosesLate() external {
        uint256 training = openBonded(bondedTerms(NATIVE));
        joinBonded(training, 4);
        vm.warp(joinUntil(training) + REVEAL_SECONDS + 1);
        closeBonded(training);
        assertStatus(training, IMarketplace.Status.Drawing);
        vm.assertEq(market.bondOf(training, aggregator), AGGREGATOR_BOND, "aggregator");
    }

    /// Else an aggregator that shies at its bond would lock everybody's.
    function test_WhenABondedAggregatorDoesNotClose() external {
        uint256 training = openBonded(bondedTerms(NATIVE));
        joinBonded(training, 4);
        vm.warp(joinUntil(training) + REVEAL_SECONDS);
        vm.prank(stranger);
        market.cancel(training);
        assertStatus(training, IMarketplace.Status.Cancelled);
        vm.assertEq(market.creditOf(NATIVE, buyer), DEPOSIT, "the whole deposit");
        vm.warp(market.bondUntil(training, buyer));
        vm.assertEq(release(training, buyer), BUYER_BOND, "buyer");
        for (uint256 seat = 0; seat < 4; ++seat) vm.assertEq(release(training, owner(seat)), OWNER_BOND, "owner");
        refuseRelease(training, aggregator, noBond(training, aggregator));
        assertHeld(NATIVE, 0, 0);
    }

    function test_WhenBondsAreLostToTheBuyerAndItGivesNone() external {
        IMarketplace.Terms memory terms = bondedTerms(NATIVE);
        (terms.buyerBond, terms.forfeitTo) = (0, buyer);
        openBonded(terms);
        assertHeld(NATIVE, DEPOSIT, 0);
    }

    function test_WhenBondsAreInEther() external {
        give(NATIVE);
    }

    function test_WhenBondsAreInAToken() external {
        give(address(moody));
        assertHeld(NATIVE, 0, 0);
        vm.assertEq(address(market).balance, 0, "nothing of it is in another token");
    }

    function test_WhenThePermitIsOfDepositAndBond() external {
        TestToken token = new TestToken();
        token.mint(buyer, DEPOSIT + BUYER_BOND);
        IMarketplace.Terms memory terms = bondedTerms(address(token));
        bytes32 permit = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        uint256 deadline = block.timestamp;
        bytes32 content =
            keccak256(abi.encode(permit, buyer, address(market), DEPOSIT + BUYER_BOND, uint256(0), deadline));
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), content));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(BUYER_KEY, digest);
        vm.prank(buyer);
        market.openWithPermit(terms, DEPOSIT, deadline, v, r, s);
        assertHeld(address(token), DEPOSIT, BUYER_BOND);
    }

    function test_WhenNoBondIsAskedFor() external {
        uint256 training = running(4);
        vm.assertEq(market.totalBonds(NATIVE), 0, "none");
        address[3] memory all = [buyer, aggregator, owner(0)];
        for (uint256 i = 0; i < 3; ++i) vm.assertEq(market.bondOf(training, all[i]), 0, "none");
    }

    // ---- pieces ----

    function give(address token) private {
        uint256 training = openBonded(bondedTerms(token));
        assertHeld(token, DEPOSIT, BUYER_BOND);
        vm.assertEq(market.bondOf(training, buyer), BUYER_BOND, "buyer");
        joinBonded(training, 4);
        assertHeld(token, DEPOSIT, BUYER_BOND + 4 * uint256(OWNER_BOND));
        vm.assertEq(market.bondOf(training, owner(3)), OWNER_BOND, "owner");
        vm.assertEq(market.bondOf(training, aggregator), 0, "the aggregator gives it when it closes");
        closeBonded(training);
        assertHeld(token, DEPOSIT, BUYER_BOND + 4 * uint256(OWNER_BOND) + AGGREGATOR_BOND);
        vm.assertEq(market.bondOf(training, aggregator), AGGREGATOR_BOND, "aggregator");
        vm.assertEq(market.bondOf(training, stranger), 0, "nobody else");
        vm.assertEq(market.bondOf(training + 1, address(0)), 0, "nowhere else");
        vm.assertEq(market.bondUntil(training, buyer), 0, "as long as it runs");
    }

    /// A token that moves another amount than it should takes nobody in.
    function misbehave(MoodyToken.Mood mood, uint256 ownerMoved, uint256 aggregatorMoved) private {
        uint256 training = openBonded(bondedTerms(address(moody)));
        joinBonded(training, 4);
        register(owner(4), IMarketplace.Role.DataOwner);
        fund(address(moody), owner(4), OWNER_BOND);
        fund(address(moody), aggregator, AGGREGATOR_BOND);
        moody.set(mood);
        bytes memory data = joining(training, owner(4));
        vm.prank(owner(4));
        vm.expectRevert(wrongAmountMoved(ownerMoved, OWNER_BOND));
        (bool done,) = address(market).call(data);
        vm.assertTrue(done, "as expected");
        refuseClose(training, aggregator, 0, wrongAmountMoved(aggregatorMoved, AGGREGATOR_BOND));
        assertHeld(address(moody), DEPOSIT, BUYER_BOND + 4 * uint256(OWNER_BOND));
    }

    function refuseTerms(IMarketplace.Terms memory terms) private {
        uint256 value = DEPOSIT + terms.buyerBond;
        vm.prank(buyer);
        vm.expectRevert(abi.encodeWithSelector(IMarketplace.Marketplace_InvalidTerms.selector, bytes32("forfeitTo")));
        market.open{value: value}(terms, DEPOSIT);
    }

    function refuseJoin(uint256 training, uint256 value, bytes memory refusal) private {
        bytes memory data = joining(training, owner(0));
        vm.prank(owner(0));
        vm.expectRevert(refusal);
        (bool done,) = address(market).call{value: value}(data);
        vm.assertTrue(done, "as expected");
    }

    function refuseClose(uint256 training, address account, uint256 value, bytes memory refusal) private {
        vm.prank(account);
        vm.expectRevert(refusal);
        market.close{value: value}(training);
    }
}
