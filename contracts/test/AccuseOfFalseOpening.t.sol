// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {OpeningTest} from "./support/OpeningTest.sol";

/// Approves whatever it is asked.
contract Yes {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return 0x1626ba7e;
    }
}

contract AccuseOfFalseOpeningTest is OpeningTest {
    uint256 private constant ALL = type(uint256).max;
    uint256 private training;
    IMarketplace.Opening private sample;

    function setUp() public override {
        super.setUp();
        training = runningBonded(NATIVE, 4, 0);
        sample = trueOpening(training, 7, 2);
    }

    function test_RevertWhen_TheOpeningIsTrue() external {
        refuseOpening(sample, "", ALL, noFault(training, buyer));
        refuseOpening(sample, "", 4, noFault(training, buyer));
        vm.assertEq(market.bondOf(training, buyer), BUYER_BOND, "the bond stays");
    }

    /// Nobody loses a bond for a true opening, whatever its numbers.
    /// forge-config: default.fuzz.runs = 32
    function testFuzz_RevertWhen_AnyOpeningIsTrue(uint256 seed) external {
        IMarketplace.Opening memory opening = trueOpening(training, seed >> 8, 1 + seed % 3);
        uint256 choice = (seed >> 4) % 4;
        if (choice == 0) opening.plaintext = new bytes(opening.plaintext.length);
        if (choice == 1) opening.plaintext = spoiled(opening.modulus);
        if (choice == 2) opening.root = spoiled(opening.modulus);
        opening.ciphertext = abi.encodePacked(ciphertextOf(opening));
        refuseOpening(opening, "", ALL, noFault(training, buyer));
    }

    function test_RevertWhen_ATrueOpeningIsCheckedInSteps() external {
        for (uint256 done = 0; done < 3; ++done) {
            vm.assertEq(accuse(sample, done == 0 ? bytes("") : powerAfter(sample, done), 1), 3 - done, "steps left");
        }
        bytes memory power = powerAfter(sample, 3);
        for (uint256 i = 0; i < 2; ++i) refuseOpening(sample, power, 1, noFault(training, buyer));
        vm.assertEq(market.bondOf(training, buyer), BUYER_BOND, "the bond stays");
    }

    function test_RevertWhen_SomebodyElseSignedTheOpening() external {
        sample.plaintext = spoiled(sample.plaintext);
        bytes32 digest = market.hashOpening(sample);
        refuseOpening(sample, signed(AGGREGATOR_KEY, digest), "", ALL, badSignature(buyer));
        refuseOpening(sample, signed(ownerKey(0), digest), "", ALL, badSignature(buyer));
        refuseOpening(sample, "", "", ALL, badSignature(buyer));
    }

    /// The attack: each field of what the buyer signed is put another way; whatever is false then is not its word.
    function test_RevertWhen_TheSignatureIsForAnotherOpening() external {
        bytes memory signature = openingSignature(sample);
        IMarketplace.Opening memory opening = sample;
        opening.round = 2;
        refuseOpening(opening, signature, "", ALL, badSignature(buyer));
        opening.round = 1;
        bytes[4] memory fields = [opening.modulus, opening.ciphertext, opening.plaintext, opening.root];
        for (uint256 i = 0; i < 4; ++i) {
            spoil(fields[i]);
            refuseOpening(opening, signature, "", ALL, badSignature(buyer));
            spoil(fields[i]);
        }
        opening.trainingId = runningBonded(NATIVE, 4, 0);
        refuseOpening(opening, signature, "", ALL, badSignature(buyer));
    }

    function test_RevertWhen_TheSignatureIsForAnotherContract() external {
        sample.plaintext = spoiled(sample.plaintext);
        IMarketplace other = newMarket();
        refuseOpening(sample, signed(BUYER_KEY, other.hashOpening(sample)), "", ALL, badSignature(buyer));
    }

    function test_RevertWhen_AWalletWouldSignAnything() external {
        sample.plaintext = spoiled(sample.plaintext);
        vm.etch(buyer, address(new Yes()).code);
        refuseOpening(sample, "any", "", ALL, badSignature(buyer));
    }

    function test_RevertWhen_TheBuyerGaveNoBond() external {
        sample.trainingId = running(4);
        sample.plaintext = spoiled(sample.plaintext);
        refuseOpening(sample, "", ALL, noBond(sample.trainingId, buyer));
        sample.trainingId = 99;
        refuseOpening(sample, "", ALL, noBond(99, address(0)));
    }

    function test_RevertWhen_TheBondWasLostAlready() external {
        sample.plaintext = spoiled(sample.plaintext);
        accuse(sample, "", ALL);
        refuseOpening(sample, "", ALL, noBond(training, buyer));
        sample.round = 2;
        refuseOpening(sample, "", ALL, noBond(training, buyer));
        vm.assertEq(market.creditOf(NATIVE, charity), BUYER_BOND, "once");
    }

    function test_RevertWhen_TheBondIsHomeAlready() external {
        sample.plaintext = spoiled(sample.plaintext);
        accuse(sample, "", 1);
        vm.warp(endsAt(training));
        market.cancel(training);
        vm.warp(market.bondUntil(training, buyer));
        release(training, buyer);
        refuseOpening(sample, powerAfter(sample, 1), ALL, noBond(training, buyer));
    }

    function test_RevertWhen_NoStepIsAskedFor() external {
        refuseOpening(
            sample, "", 0, abi.encodeWithSelector(IMarketplace.Marketplace_InvalidTerms.selector, bytes32("steps"))
        );
    }

    function test_RevertWhen_TheModulusIsMalformed() external {
        bytes memory good = sample.modulus;
        sample.modulus = "";
        refuseField("modulus");
        sample.modulus = new bytes(63);
        refuseField("modulus");
        sample.modulus = abi.encodePacked(new bytes(543), uint8(1));
        refuseField("modulus");
        good[63] = 0x80;
        sample.modulus = good;
        refuseField("modulus");
    }

    function test_RevertWhen_TheCiphertextIsMalformed() external {
        bytes memory good = sample.ciphertext;
        sample.ciphertext = abi.encodePacked(good, uint8(0));
        refuseField("ciphertext");
        sample.ciphertext = abi.encodePacked(uint256(0), good);
        refuseField("ciphertext");
        sample.ciphertext = abi.encodePacked(type(uint256).max, good);
        refuseField("ciphertext");
        for (uint256 i = 0; i < good.length; ++i) good[i] = 0xff;
        sample.ciphertext = good;
        refuseField("ciphertext");
    }

    function test_RevertWhen_ThePlaintextIsMalformed() external {
        bytes memory good = sample.plaintext;
        sample.plaintext = abi.encodePacked(uint256(0), good);
        refuseField("plaintext");
        sample.plaintext = sample.modulus;
        refuseField("plaintext");
        sample.plaintext = "";
        refuseField("plaintext");
    }

    function test_RevertWhen_TheRootIsMalformed() external {
        bytes memory good = sample.root;
        sample.root = abi.encodePacked(uint256(0), good);
        refuseField("root");
        sample.root = sample.modulus;
        refuseField("root");
        sample.root = new bytes(64);
        refuseField("root");
        sample.root = "";
        refuseField("root");
    }

    /// The attack: an accuser goes on from a power of its own, and the true opening looks false.
    function test_RevertWhen_ThePowerIsNotThatOfTheStepsBefore() external {
        bytes32 digest = market.hashOpening(sample);
        bytes memory power = powerAfter(sample, 1);
        refuseOpening(sample, power, ALL, wrongPower(digest, 0));
        accuse(sample, "", 1);
        refuseOpening(sample, "", ALL, wrongPower(digest, 1));
        refuseOpening(sample, powerAfter(sample, 2), ALL, wrongPower(digest, 1));
        refuseOpening(sample, abi.encodePacked(uint256(0), power), ALL, wrongPower(digest, 1));
        spoil(power);
        refuseOpening(sample, power, ALL, wrongPower(digest, 1));
        sample.round = 2;
        spoil(power);
        refuseOpening(sample, power, ALL, wrongPower(market.hashOpening(sample), 0));
    }

    /// The attack: a call that runs out of gas within the power must not make a true opening look false.
    function test_RevertWhen_TheGasIsTooLittle() external {
        IMarketplace.Opening memory opening = trueOpening(training, 3, 8);
        bytes memory signature = openingSignature(opening);
        bytes memory data =
            abi.encodeCall(IMarketplace.accuseOfFalseOpening, (opening, signature, bytes(""), uint256(16)));
        for (uint256 gasGiven = 100_000; gasGiven < 5_000_000; gasGiven += 490_000) {
            (bool done,) = address(market).call{gas: gasGiven}(data);
            vm.assertTrue(!done, "it is refused");
        }
        vm.assertEq(market.bondOf(training, buyer), BUYER_BOND, "the bond stays");
    }

    function test_RevertWhen_TheChainHasNoModexp() external {
        sample.plaintext = spoiled(sample.plaintext);
        bytes memory signature = openingSignature(sample);
        vm.mockCall(address(5), "", "");
        vm.expectRevert(abi.encodeWithSelector(IMarketplace.Marketplace_PowerFailed.selector));
        market.accuseOfFalseOpening(sample, signature, "", ALL);
    }

    function test_WhenThePlaintextIsFalse() external {
        sample.plaintext = spoiled(sample.plaintext);
        expectFault(sample);
    }

    function test_WhenTheRootIsFalse() external {
        sample.root = spoiled(sample.root);
        expectFault(sample);
    }

    function test_WhenTheCiphertextIsFalse() external {
        sample.ciphertext = spoiled(sample.ciphertext);
        expectFault(sample);
    }

    /// forge-config: default.fuzz.runs = 32
    function testFuzz_WhenAnyOpeningIsFalse(uint256 seed) external {
        IMarketplace.Opening memory opening = trueOpening(training, seed >> 16, 1 + seed % 3);
        bytes[3] memory fields = [opening.ciphertext, opening.plaintext, opening.root];
        bytes memory field = fields[(seed >> 4) % 3];
        field[field.length - 1 - (seed >> 8) % 31] ^= 0x10;
        expectFault(opening);
    }

    function test_WhenDifferentAccountsTakeTheSteps() external {
        sample.plaintext = spoiled(sample.plaintext);
        bytes32 digest = market.hashOpening(sample);
        bytes memory signature = openingSignature(sample);
        vm.expectEmit(address(market));
        emit IMarketplace.OpeningDoubted(training, digest, 1, 4);
        vm.assertEq(accuse(sample, "", 1), 3, "steps left");
        bytes memory power = powerAfter(sample, 1);
        (uint256 done, bytes32 powerDigest) = market.doubtOf(digest);
        vm.assertEq(done, 1, "steps done");
        vm.assertEq(powerDigest, keccak256(power), "power");
        vm.prank(owner(2));
        vm.assertEq(market.accuseOfFalseOpening(sample, signature, power, 2), 1, "steps left");
        power = powerAfter(sample, 3);
        vm.prank(aggregator);
        vm.assertEq(market.accuseOfFalseOpening(sample, signature, power, 5), 0, "no step left");
        assertForfeited(training, buyer, BUYER_BOND);
    }

    function test_WhenTheModulusHasFourThousandBits() external {
        IMarketplace.Opening memory opening = trueOpening(training, 5, 1);
        (opening.modulus, opening.plaintext, opening.root) =
            (pad(opening.modulus, 512), pad(opening.plaintext, 512), pad(opening.root, 512));
        opening.modulus[0] = 0x80;
        opening.root[1] = 0xff;
        opening.ciphertext = pad(opening.ciphertext, 1024);
        vm.setEvmVersion("osaka");
        bytes memory signature = openingSignature(opening);
        uint256 before = gasleft();
        vm.assertEq(market.accuseOfFalseOpening(opening, signature, "", 1), 31, "steps left");
        vm.assertLe(before - gasleft(), 16_000_000, "the first");
        bytes memory power = powerAfter(opening, 1);
        before = gasleft();
        vm.assertEq(market.accuseOfFalseOpening(opening, signature, power, 1), 30, "steps left");
        vm.assertLe(before - gasleft(), 16_000_000, "a later one");
    }

    function test_WhenAnOpeningIsDoubtedBeforeTheRelease() external {
        vm.warp(endsAt(training));
        market.cancel(training);
        uint64 until = market.bondUntil(training, buyer);
        sample.plaintext = spoiled(sample.plaintext);
        vm.warp(until - 1);
        accuse(sample, "", 1);
        vm.assertEq(market.bondUntil(training, buyer), until + ROUND_SECONDS / 4, "the buyer's stays longer");
        vm.assertEq(market.bondUntil(training, owner(0)), until, "nobody else's does");
        vm.warp(until);
        refuseRelease(training, buyer, tooEarly(training, until + ROUND_SECONDS / 4));
        release(training, owner(0));
        vm.warp(until + ROUND_SECONDS / 4 - 1);
        accuse(sample, powerAfter(sample, 1), 3);
        assertForfeited(training, buyer, BUYER_BOND);
    }

    /// The attack: whoever holds true openings of a buyer begins to check one after the other, and never ends.
    function test_WhenTrueOpeningsAreDoubtedAgainAndAgain() external {
        vm.warp(endsAt(training));
        market.cancel(training);
        uint64 latest = market.bondUntil(training, buyer) + ROUND_SECONDS / 4;
        for (uint256 i = 0; i < 5; ++i) {
            accuse(trueOpening(training, 100 + i, 2), "", 1);
            vm.assertLe(market.bondUntil(training, buyer), latest, "it stays bounded");
            vm.warp(vm.getBlockTimestamp() + ROUND_SECONDS / 12);
        }
        vm.warp(latest);
        accuse(trueOpening(training, 200, 2), "", 1);
        vm.assertEq(release(training, buyer), BUYER_BOND, "it comes home");
    }

    function test_WhenOthersGiveBonds() external {
        uint256 before = market.totalBonds(NATIVE);
        sample.plaintext = spoiled(sample.plaintext);
        accuse(sample, "", ALL);
        vm.assertEq(market.totalBonds(NATIVE), before - BUYER_BOND, "one bond");
        vm.assertEq(market.bondOf(training, aggregator), AGGREGATOR_BOND, "aggregator");
        for (uint256 seat = 0; seat < 4; ++seat) {
            vm.assertEq(market.bondOf(training, owner(seat)), OWNER_BOND, "owner");
        }
    }

    // ---- pieces ----

    function expectFault(IMarketplace.Opening memory opening) private {
        uint256 steps = opening.modulus.length / 16;
        vm.assertEq(accuse(opening, "", steps - 1), 1, "steps left");
        bytes memory power = powerAfter(opening, steps - 1);
        bytes memory signature = openingSignature(opening);
        expectForfeited(training, buyer, IMarketplace.Fault.FalseOpening, BUYER_BOND);
        vm.assertEq(market.accuseOfFalseOpening(opening, signature, power, 1), 0, "no step left");
        assertForfeited(training, buyer, BUYER_BOND);
    }

    function refuseField(bytes32 field) private {
        refuseOpening(
            sample, "", ALL, abi.encodeWithSelector(IMarketplace.Marketplace_InvalidOpening.selector, field)
        );
    }

    function wrongPower(bytes32 digest, uint256 done) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketplace.Marketplace_WrongPower.selector, digest, done);
    }

    /// Of an odd number: one less.
    function spoiled(bytes memory number) private pure returns (bytes memory other) {
        other = abi.encodePacked(number);
        spoil(other);
    }

    function pad(bytes memory number, uint256 length) private pure returns (bytes memory) {
        return abi.encodePacked(new bytes(length - number.length), number);
    }
}
