// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {MarketplaceTest} from "./support/MarketplaceTest.sol";
import {Bomb, Burner, Reverting, Wallet} from "./support/Wallets.sol";

contract RecordSignaturesTest is MarketplaceTest {
    uint256 private constant CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    uint256 private training;
    uint256 private firstValidator;
    IMarketplace.RoundRecord private record;
    bytes private byBuyer;
    bytes[] private byValidators;

    function setUp() public override {
        super.setUp();
        training = running(14); // four validators
        record = recordOf(training, 1, false);
        byBuyer = buyerSignature(record);
        byValidators = validatorSignatures(record);
        while ((record.validators >> firstValidator) & 1 == 0) ++firstValidator;
    }

    function test_RevertWhen_TheBuyerDidNotSign() external {
        byBuyer = "";
        refuse(badSignature(buyer));
    }

    function test_RevertWhen_AnotherAccountSignedForTheBuyer() external {
        byBuyer = byValidators[0];
        refuse(badSignature(buyer));
    }

    function test_RevertWhen_HalfOfTheDrawnValidatorsSigned() external {
        (byValidators[0], byValidators[3]) = (bytes(""), bytes(""));
        refuse(tooFewSignatures(training, 2, 3));
    }

    /// All that are listed have signed: half of those that were drawn.
    function test_RevertWhen_HalfOfTheDrawnValidatorsAreListed() external {
        record.validators = lowest(record.validators, 2);
        byBuyer = buyerSignature(record);
        byValidators = validatorSignatures(record);
        refuse(tooFewSignatures(training, 2, 3));
    }

    /// The attack: of 77 drawn validators a buyer needed two accomplices to record whatever it liked.
    function test_RevertWhen_TheBuyerListsTwoAccomplicesOfManyValidators() external {
        training = running(256);
        (, uint256 trainers, uint256 validators) = market.ownersOf(training);
        record = recordOf(training, 1, true, trainers, lowest(validators, 2));
        byBuyer = buyerSignature(record);
        byValidators = validatorSignatures(record);
        refuse(tooFewSignatures(training, 2, 39));
    }

    function test_RevertWhen_TheValidatorsSignedInAnotherOrder() external {
        bytes memory first = byValidators[0];
        byValidators[0] = byValidators[1];
        byValidators[1] = first;
        refuse(tooFewSignatures(training, 2, 3));
    }

    function test_RevertWhen_AValidatorSignedTwice() external {
        byValidators[0] = byValidators[1];
        byValidators[2] = "";
        refuse(tooFewSignatures(training, 2, 3));
    }

    function test_RevertWhen_ATrainerSignedForAValidator() external {
        uint256 trainer;
        while ((record.trainers >> trainer) & 1 == 0) ++trainer;
        byValidators[0] = signed(ownerKey(trainer), market.hashRecord(record));
        byValidators[1] = "";
        refuse(tooFewSignatures(training, 2, 3));
    }

    function test_RevertWhen_ThereAreFewerSignaturesThanListedValidators() external {
        byValidators.pop();
        refuse(invalidMetrics(training, 1));
    }

    function test_RevertWhen_ThereAreMoreSignaturesThanListedValidators() external {
        byValidators.push("");
        refuse(invalidMetrics(training, 1));
    }

    function test_RevertWhen_ASignatureHasAHighS() external {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(BUYER_KEY, market.hashRecord(record));
        byBuyer = abi.encodePacked(r, CURVE_ORDER - uint256(s), v == 27 ? uint8(28) : uint8(27));
        refuse(badSignature(buyer));
    }

    function test_RevertWhen_TooManySignaturesAreCutShort() external {
        byValidators[0].pop();
        byValidators[1].pop();
        refuse(tooFewSignatures(training, 2, 3));
    }

    function test_WhenASignatureIsCutShort() external {
        byValidators[0].pop();
        send();
    }

    function test_RevertWhen_AnySignedFieldIsChanged() external {
        record.last = true;
        refuse(badSignature(buyer));
        record.last = false;
        record.mseBefore += 1;
        refuse(badSignature(buyer));
        record.mseBefore -= 1;
        record.own[0] += 1;
        refuse(badSignature(buyer));
        record.own[0] -= 1;
        record.cross[0] += 1;
        refuse(badSignature(buyer));
        record.cross[0] -= 1;
        record.trainers = lowest(record.trainers, 9);
        refuse(badSignature(buyer));
        (, record.trainers,) = market.ownersOf(training);
        record.validators = lowest(record.validators, 3);
        refuse(badSignature(buyer));
        (,, record.validators) = market.ownersOf(training);
        record.modelDigest = bytes32(0);
        refuse(badSignature(buyer));
        record.modelDigest = keccak256(abi.encode("model", uint16(1)));
        record.deliveredDigest = bytes32(0);
        refuse(badSignature(buyer));
        record.deliveredDigest = record.modelDigest;
        record.transcriptDigest = bytes32(0);
        refuse(badSignature(buyer));
        record.transcriptDigest = keccak256(abi.encode("transcript", uint16(1)));
        send(); // as it was signed
    }

    function test_RevertWhen_TheSignaturesWereMadeForAnotherTraining() external {
        record.trainingId = running(14);
        refuse(badSignature(buyer));
    }

    function test_RevertWhen_TheSignaturesWereMadeOnAnotherChain() external {
        vm.chainId(block.chainid + 1);
        refuse(badSignature(buyer));
    }

    function test_WhenMoreThanHalfOfTheDrawnValidatorsSigned() external {
        byValidators[2] = "";
        send();
    }

    function test_WhenAContractAccountApprovesTheDigest() external {
        approve(buyer, market.hashRecord(record));
        byBuyer = "ok";
        approve(owner(firstValidator), market.hashRecord(record));
        byValidators[0] = "ok";
        byValidators[1] = "";
        send();
    }

    function test_RevertWhen_AContractAccountApprovesAnotherDigest() external {
        approve(owner(firstValidator), keccak256("another"));
        byValidators[0] = "ok";
        byValidators[1] = "";
        refuse(tooFewSignatures(training, 2, 3));
    }

    /// The attack: an account with code (EIP-7702) signs with its key, which a check off chain finds valid. It counts.
    function test_WhenAnAccountWithCodeHasAnOrdinarySignature() external {
        vm.etch(buyer, address(new Reverting()).code);
        vm.etch(owner(firstValidator), abi.encodePacked(hex"ef0100", address(new Reverting())));
        byValidators[1] = "";
        send();
    }

    /// The attack: each round cost as much gas as the signer was given, 14 million of a block's 15.
    function test_WhenASignerBurnsGas() external {
        vm.etch(owner(firstValidator), address(new Burner()).code);
        byValidators[0] = "any";
        vm.prank(aggregator);
        market.recordRound{gas: 1_400_000}(record, byBuyer, byValidators);
        assertRecorded();
    }

    function test_WhenASignerAnswersAtLength() external {
        vm.etch(owner(firstValidator), address(new Bomb()).code);
        byValidators[0] = "any";
        byValidators[1] = "";
        vm.prank(aggregator);
        market.recordRound{gas: 1_400_000}(record, byBuyer, byValidators);
        assertRecorded();
    }

    function test_WhenASignersCodeReverts() external {
        vm.etch(owner(firstValidator), address(new Reverting()).code);
        byValidators[0] = "any";
        send();
    }

    function test_WhenTheSignaturesAreCheckedBeforehand() external {
        vm.etch(owner(firstValidator), address(new Burner()).code);
        byValidators[0] = "any";
        byValidators[1] = "";
        byBuyer = "";
        (bool buyerSigned, bool[] memory counts, uint256[] memory gasUsed) =
            market.checkSignatures(record, byBuyer, byValidators);
        vm.assertTrue(!buyerSigned, "the buyer has not signed");
        vm.assertTrue(!counts[0] && !counts[1] && counts[2] && counts[3], "who has signed");
        vm.assertTrue(gasUsed[0] > 150_000 && gasUsed[2] < 10_000, "what it costs");
        vm.assertTrue(gasUsed[0] < 250_000, "at most");
    }

    function approve(address account, bytes32 digest) private {
        vm.etch(account, address(new Wallet()).code);
        Wallet(account).approve(digest);
    }

    function send() private {
        vm.prank(aggregator);
        market.recordRound(record, byBuyer, byValidators);
        assertRecorded();
    }

    function assertRecorded() private view {
        (,,, uint16 rounds,,) = market.progressOf(training);
        vm.assertEq(rounds, 1, "recorded");
    }

    function refuse(bytes memory refusal) private {
        refuseRecord(record, byBuyer, byValidators, refusal);
    }
}
