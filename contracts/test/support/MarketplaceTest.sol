// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../../src/IMarketplace.sol";
import {MoodyToken} from "./MoodyToken.sol";
import {Vm} from "./Vm.sol";

/// A fresh market with a buyer, an aggregator and owners, and short ways into every status of a training.
abstract contract MarketplaceTest {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    address internal constant NATIVE = address(0);
    uint256 internal constant BUYER_KEY = 0xb0;
    uint256 internal constant AGGREGATOR_KEY = 0xa9;
    uint256 internal constant DEPOSIT = 1 ether;
    uint256 internal constant FIRST_MSE = 100e18;
    uint32 internal constant JOIN_SECONDS = 1000;
    uint32 internal constant ROUND_SECONDS = 600;
    uint32 internal constant REVEAL_SECONDS = 300;
    uint16 internal constant ABANDON_BPS = 200;

    IMarketplace internal market;
    MoodyToken internal moody = new MoodyToken();
    address internal buyer = vm.addr(BUYER_KEY);
    address internal aggregator = vm.addr(AGGREGATOR_KEY);
    address internal stranger = vm.addr(0x57);

    function setUp() public virtual {
        vm.warp(1_000_000);
        vm.roll(1000);
        market = newMarket();
        vm.deal(buyer, 1000 ether);
        register(buyer, IMarketplace.Role.ModelBuyer);
        register(aggregator, IMarketplace.Role.FederatedAggregator);
    }

    /// Of the sources as they are, or, as `make test` asks, of the artifact that ships: compiling is half of a run.
    function newMarket() internal returns (IMarketplace) {
        return IMarketplace(vm.deployCode(vm.envOr("MARKETPLACE", string("Marketplace.sol:Marketplace"))));
    }

    // ---- parties ----

    function register(address account, IMarketplace.Role role) internal {
        vm.prank(account);
        market.register(role, keyOf(account));
    }

    function keyOf(address account) internal pure returns (bytes32) {
        return keccak256(abi.encode("exchange key", account));
    }

    function ownerKey(uint256 seat) internal pure returns (uint256) {
        return 0xd000 + seat;
    }

    function owner(uint256 seat) internal pure returns (address) {
        return vm.addr(ownerKey(seat));
    }

    // ---- a training in each status ----

    function defaultTerms() internal view returns (IMarketplace.Terms memory) {
        return IMarketplace.Terms({
            aggregator: aggregator,
            requestHash: keccak256("request"),
            rounds: 4,
            minOwners: 4,
            maxOwners: 256,
            folds: 1,
            contributionBps: 6500,
            participationBps: 500,
            validationBps: 2000,
            aggregationBps: 1000,
            joinSeconds: JOIN_SECONDS,
            roundSeconds: ROUND_SECONDS,
            revealSeconds: REVEAL_SECONDS,
            abandonBps: ABANDON_BPS,
            admission: IMarketplace.Admission.Both,
            token: NATIVE,
            ownerBond: 0, aggregatorBond: 0, buyerBond: 0, forfeitTo: address(0)
        });
    }

    function termsIn(address token) internal view returns (IMarketplace.Terms memory terms) {
        terms = defaultTerms();
        terms.token = token;
    }

    function open() internal returns (uint256) {
        return open(defaultTerms());
    }

    function open(IMarketplace.Terms memory terms) internal returns (uint256) {
        vm.prank(buyer);
        return market.open{value: DEPOSIT}(terms, DEPOSIT);
    }

    /// With a deposit that the buyer is given before.
    function openIn(MoodyToken token) internal returns (uint256) {
        token.mint(buyer, DEPOSIT);
        vm.prank(buyer);
        token.approve(address(market), DEPOSIT);
        IMarketplace.Terms memory terms = termsIn(address(token));
        vm.prank(buyer);
        return market.open(terms, DEPOSIT);
    }

    function join(uint256 training, uint256 owners) internal {
        for (uint256 seat = 0; seat < owners; ++seat) {
            register(owner(seat), IMarketplace.Role.DataOwner);
            joinAs(training, owner(seat));
        }
    }

    function joinAs(uint256 training, address account) internal {
        (bytes memory byAggregator, bytes memory byBuyer) = admissions(training, account);
        vm.prank(account);
        market.join(training, commitmentOf(account), nonceDigest(training, account), byAggregator, byBuyer);
    }

    function commitmentOf(address account) internal pure returns (bytes32) {
        return keccak256(abi.encode("commitment", account));
    }

    function nonceOf(uint256 training, address account) internal pure returns (bytes32) {
        return keccak256(abi.encode("nonce", training, account));
    }

    function nonceDigest(uint256 training, address account) internal pure returns (bytes32) {
        return keccak256(abi.encode(training, account, nonceOf(training, account)));
    }

    /// What aggregator and buyer sign for an owner.
    function admissions(uint256 training, address account)
        internal
        view
        returns (bytes memory byAggregator, bytes memory byBuyer)
    {
        bytes32 digest = market.hashAdmission(training, account, commitmentOf(account));
        return (signed(AGGREGATOR_KEY, digest), signed(BUYER_KEY, digest));
    }

    function close(uint256 training) internal {
        vm.prank(aggregator);
        market.close(training);
    }

    function drawing(uint256 owners) internal returns (uint256 training) {
        training = open();
        join(training, owners);
        close(training);
    }

    /// All owners but those of a mask of seats have revealed their nonces.
    function revealed(uint256 owners, uint256 silent) internal returns (uint256 training) {
        training = drawing(owners);
        vm.roll(drawBlock(training) + 1);
        revealAll(training, silent);
    }

    function revealAll(uint256 training, uint256 silent) internal {
        (address[] memory seats,,) = market.ownersOf(training);
        for (uint256 seat = 0; seat < seats.length; ++seat) {
            if ((silent >> seat) & 1 == 0) revealAs(training, seats[seat]);
        }
    }

    function revealAs(uint256 training, address account) internal {
        vm.prank(account);
        market.reveal(training, nonceOf(training, account));
    }

    function running(uint256 owners) internal returns (uint256 training) {
        training = drawing(owners);
        drawAfter(training);
    }

    function drawAfter(uint256 training) internal {
        vm.roll(drawBlock(training) + 1);
        revealAll(training, 0);
        market.draw(training);
    }

    /// Runs `rounds` rounds with the errors falling by a tenth of the first each; the last ends it if told so.
    function recorded(uint256 owners, uint16 rounds, bool ended) internal returns (uint256 training) {
        training = running(owners);
        for (uint16 round = 1; round <= rounds; ++round) {
            sendRecord(recordOf(training, round, ended && round == rounds));
        }
    }

    // ---- records ----

    /// All trainers and validators took part; the error falls by a tenth of the first each round.
    function recordOf(uint256 training, uint16 round, bool last) internal view returns (IMarketplace.RoundRecord memory) {
        (, uint256 trainers, uint256 validators) = market.ownersOf(training);
        return recordOf(training, round, last, trainers, validators);
    }

    function recordOf(uint256 training, uint16 round, bool last, uint256 trainers, uint256 validators)
        internal
        pure
        returns (IMarketplace.RoundRecord memory record)
    {
        uint256 mseAfter = FIRST_MSE * (10 - round) / 10;
        uint256 count = bits(trainers);
        record.trainingId = training;
        record.round = round;
        record.last = last;
        record.trainers = trainers;
        record.validators = validators;
        record.mseBefore = FIRST_MSE * (11 - round) / 10;
        record.own = new uint256[](count);
        record.cross = new int256[](count);
        for (uint256 i = 0; i < count; ++i) {
            record.own[i] = mseAfter + i * 1e17;
            record.cross[i] = int256(mseAfter * count);
        }
        record.modelDigest = keccak256(abi.encode("model", round));
        record.deliveredDigest = record.modelDigest;
        record.transcriptDigest = keccak256(abi.encode("transcript", round));
    }

    function sendRecord(IMarketplace.RoundRecord memory record) internal {
        bytes[] memory signatures = validatorSignatures(record);
        bytes memory signature = buyerSignature(record);
        vm.prank(aggregator);
        market.recordRound(record, signature, signatures);
    }

    /// Sends the record and expects the contract to refuse it with exactly these error bytes.
    function refuseRecord(IMarketplace.RoundRecord memory record, bytes memory refusal) internal {
        refuseRecord(record, buyerSignature(record), validatorSignatures(record), refusal);
    }

    function refuseRecord(
        IMarketplace.RoundRecord memory record,
        bytes memory signature,
        bytes[] memory signatures,
        bytes memory refusal
    ) internal {
        vm.prank(aggregator);
        vm.expectRevert(refusal);
        market.recordRound(record, signature, signatures);
    }

    function buyerSignature(IMarketplace.RoundRecord memory record) internal view returns (bytes memory) {
        return signed(BUYER_KEY, market.hashRecord(record));
    }

    /// In seat order, one for each validator listed in the record.
    function validatorSignatures(IMarketplace.RoundRecord memory record)
        internal
        view
        returns (bytes[] memory signatures)
    {
        bytes32 digest = market.hashRecord(record);
        signatures = new bytes[](bits(record.validators));
        uint256 index;
        for (uint256 seat = 0; seat < 256; ++seat) {
            if ((record.validators >> seat) & 1 == 1) signatures[index++] = signed(ownerKey(seat), digest);
        }
    }

    function signed(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    // ---- pieces ----

    function bits(uint256 mask) internal pure returns (uint256 count) {
        for (; mask != 0; mask &= mask - 1) ++count;
    }

    /// The lowest `count` seats of a mask.
    function lowest(uint256 mask, uint256 count) internal pure returns (uint256 chosen) {
        for (uint256 i = 0; i < count; ++i) {
            uint256 bit = mask & (~mask + 1);
            chosen |= bit;
            mask ^= bit;
        }
    }

    function between(uint256 seed, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + seed % (high - low + 1);
    }

    function assertStatus(uint256 training, IMarketplace.Status status) internal view {
        vm.assertEq(uint256(market.statusOf(training)), uint256(status), "status");
    }

    /// What the market holds of `moody` is what its books say, where only the buyer has credit.
    function assertBooks(uint256 escrow, uint256 credit) internal view {
        vm.assertEq(market.totalEscrow(address(moody)), escrow, "escrow");
        vm.assertEq(market.creditOf(address(moody), buyer), credit, "credit");
        vm.assertEq(moody.balanceOf(address(market)), escrow + credit, "balance");
    }

    // ---- refusals ----

    function transferFailed(address account) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketplace.Marketplace_TransferFailed.selector, account);
    }

    function notParty(uint256 training, address account) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketplace.Marketplace_NotParty.selector, training, account);
    }

    function wrongStatus(uint256 training, IMarketplace.Status status) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketplace.Marketplace_WrongStatus.selector, training, status);
    }

    function tooEarly(uint256 training, uint64 until) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketplace.Marketplace_TooEarly.selector, training, until);
    }

    function tooLate(uint256 training, uint64 until) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketplace.Marketplace_TooLate.selector, training, until);
    }

    function badSignature(address expected) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketplace.Marketplace_BadSignature.selector, expected);
    }

    function tooFewSignatures(uint256 training, uint256 valid, uint256 needed) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketplace.Marketplace_TooFewSignatures.selector, training, valid, needed);
    }

    function invalidMetrics(uint256 training, uint16 round) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketplace.Marketplace_InvalidMetrics.selector, training, round);
    }

    function roundUntil(uint256 training) internal view returns (uint64 until) {
        (,, until,,,) = market.progressOf(training);
    }

    /// From when on anyone may end a training that stands still.
    function endsAt(uint256 training) internal view returns (uint64) {
        return roundUntil(training) + ROUND_SECONDS / 4;
    }

    function joinUntil(uint256 training) internal view returns (uint64 until) {
        (until,,,,,) = market.progressOf(training);
    }

    function revealUntil(uint256 training) internal view returns (uint64 until) {
        (until,,) = market.drawOf(training);
    }

    function drawBlock(uint256 training) internal view returns (uint64 number) {
        (, number,,,,) = market.progressOf(training);
    }
}
