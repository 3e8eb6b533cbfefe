// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Checks} from "./Checks.sol";
import {IMarketplace} from "./IMarketplace.sol";
import {Shapley} from "./Shapley.sol";
import {Signatures} from "./Signatures.sol";
import {Tokens} from "./Tokens.sol";

/// @title Marketplace: deposits in, signed rounds recorded, credits out; no owner, no upgrade, no fee.
/// @notice Every unit of every token is escrow, until its training is over and the owners have claimed their pay, or a bond,
/// or somebody's credit, and no token's misconduct touches what is held in another. See IMarketplace for every call.
contract Marketplace is IMarketplace, EIP712 {
    uint256 private constant FIXED_POINT = 1e18;
    uint256 private constant BASIS_POINTS = 10_000;
    uint256 private constant METRIC_BOUND = 1 << 128;
    string private constant VERSION = "2";
    bytes32 private constant RECORD_TYPEHASH = keccak256(
        "RoundRecord(uint256 trainingId,uint16 round,bool last,uint256 trainers,uint256 validators,uint256 mseBefore,uint256[] own,int256[] cross,bytes32 modelDigest,bytes32 deliveredDigest,bytes32 transcriptDigest)"
    );

    bytes32 private constant ADMISSION_TYPEHASH =
        keccak256("Admission(uint256 trainingId,address owner,bytes32 requestHash,bytes32 commitment)");
    bytes32 private constant OPENING_TYPEHASH = keccak256(
        "Opening(uint256 trainingId,uint16 round,bytes modulus,bytes ciphertext,bytes plaintext,bytes root)"
    );

    struct Party {
        Role role;
        bytes32 exchangeKey;
    }

    /// In a round a seat is a trainer's or a validator's, never both; over several folds one fixed pay is that of both.
    struct Seat {
        int256 shapley;
        uint128 payWeight; // the sum over all trainers and rounds is at most the first error, or 1e18 a fold
        uint128 fixedPay; // for participation or validation
    }

    struct Pledge {
        bytes32 commitment;
        bytes32 nonce; // its digest until it is revealed
    }

    struct Training {
        address buyer;
        Status status;
        uint64 joinUntil;
        uint16 recorded;
        bool ended; // the signed last round is recorded
        uint64 drawBlock;
        uint64 roundUntil;
        uint64 revealUntil;
        uint48 endedAt;
        uint16 payees; // seats with pay of recorded rounds, less those that claimed it
        uint256 deposit;
        Terms terms;
        address[] seats;
        bytes32 drawHash; // of drawBlock, from the first reveal on
        bytes32 seed; // what the order of the drawn seats follows from
        uint256 revealed; // seats, as a mask
        uint256 trainers;
        uint256 validators;
        uint256 measuredBy; // validators of the last recorded round
        uint128 firstMse; // of the fold, as all that follow; errors are below METRIC_BOUND
        uint128 bestMse; // the lowest leftMse so far
        uint128 lastMse;
        uint128 deliveredMse; // leftMse after the round whose model is to be delivered
        uint128 leftMse; // firstMse times mseAfter/mseBefore of every recorded round
        uint128 totalWeight; // of all folds
        uint128 aggregation; // credited when the training is settled
        uint128 fixedPay; // of all seats
        uint128 pot; // for contribution; once cancelled, what leaving pays each owner that was drawn
        uint128 unclaimed; // of the deposit, once the training is over
        uint128 improved; // the sum of the improvements of folds that are over
        uint256 claimed; // seats, as a mask
        uint256 unbonded; // seats without their bond, as a mask
        bool buyerUnbonded;
        bool aggregatorUnbonded;
        bool openingDoubted;
    }

    struct Doubt {
        uint256 done; // steps
        bytes32 powerDigest;
    }

    Checks private immutable _checks = new Checks();
    mapping(address => uint256) public override totalEscrow; // by token
    mapping(address => uint256) public override totalBonds; // by token
    uint256 private _lastTraining;
    mapping(address => Party) private _parties;
    mapping(address => mapping(address => uint256)) private _credits; // by token and account
    mapping(uint256 => Training) private _trainings;
    mapping(uint256 => mapping(uint256 => Seat)) private _seats;
    mapping(uint256 => mapping(uint256 => Pledge)) private _pledges; // by seat
    mapping(uint256 => mapping(address => uint256)) private _seatNumbers; // seat + 1
    mapping(uint256 => mapping(address => bytes32)) private _exchangeKeys;
    mapping(uint256 => mapping(uint16 => bytes32)) private _recordDigests;
    mapping(bytes32 => Doubt) private _doubts; // by the opening's digest

    constructor() EIP712("DeltaML Marketplace", VERSION) {}

    // ---- parties ----

    function register(Role role, bytes32 exchangeKey) external override {
        Party storage party = _parties[msg.sender];
        // Check: a role for life, so that a buyer cannot also sit among its own owners under one address
        if (role == Role.None) revert Marketplace_InvalidTerms("role");
        if (exchangeKey == 0) revert Marketplace_InvalidTerms("exchangeKey");
        if (party.role != Role.None && party.role != role) revert Marketplace_WrongRole(msg.sender, party.role);
        // Effect
        party.role = role;
        party.exchangeKey = exchangeKey;
        emit Registered(msg.sender, role, exchangeKey);
    }

    // ---- opening and joining ----

    function open(Terms calldata terms, uint256 deposit) external payable override returns (uint256 trainingId) {
        trainingId = _open(terms, deposit);
        // Interaction
        _take(terms.token, deposit + terms.buyerBond);
    }

    function openWithPermit(
        Terms calldata terms,
        uint256 deposit,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external override returns (uint256 trainingId) {
        if (terms.token == Tokens.NATIVE) revert Marketplace_InvalidTerms("token");
        trainingId = _open(terms, deposit);
        uint256 amount = deposit + terms.buyerBond;
        Tokens.permit(terms.token, amount, deadline, v, r, s);
        Tokens.take(terms.token, amount);
    }

    function _open(Terms calldata terms, uint256 deposit) private returns (uint256 trainingId) {
        // Check
        _requireRole(msg.sender, Role.ModelBuyer);
        _requireRole(terms.aggregator, Role.FederatedAggregator);
        _checks.checkTerms(terms, deposit, msg.sender);
        // Effect
        trainingId = ++_lastTraining;
        Training storage training = _trainings[trainingId];
        training.buyer = msg.sender;
        training.status = Status.Open;
        training.joinUntil = uint64(block.timestamp + terms.joinSeconds);
        training.deposit = deposit;
        training.terms = terms;
        totalEscrow[terms.token] += deposit;
        _countBond(terms.token, terms.buyerBond);
        _exchangeKeys[trainingId][msg.sender] = _parties[msg.sender].exchangeKey;
        _exchangeKeys[trainingId][terms.aggregator] = _parties[terms.aggregator].exchangeKey;
        emit Opened(trainingId, msg.sender, terms.aggregator, deposit, terms);
    }

    function join(
        uint256 trainingId,
        bytes32 commitment,
        bytes32 nonceDigest,
        bytes calldata aggregatorSignature,
        bytes calldata buyerSignature
    ) external payable override {
        Training storage training = _trainings[trainingId];
        // Check
        _requireRole(msg.sender, Role.DataOwner);
        _requireStatus(trainingId, training, Status.Open);
        if (block.timestamp >= training.joinUntil) revert Marketplace_TooLate(trainingId, training.joinUntil);
        if (_seatNumbers[trainingId][msg.sender] != 0) revert Marketplace_AlreadyJoined(trainingId, msg.sender);
        uint256 seat = training.seats.length;
        if (seat >= training.terms.maxOwners) revert Marketplace_NoSeatLeft(trainingId, training.terms.maxOwners);
        if (commitment == 0) revert Marketplace_InvalidJoin("commitment");
        if (nonceDigest == 0) revert Marketplace_InvalidJoin("nonceDigest");
        _checkAdmission(training, hashAdmission(trainingId, msg.sender, commitment), aggregatorSignature, buyerSignature);
        // Effect
        training.seats.push(msg.sender);
        _seatNumbers[trainingId][msg.sender] = seat + 1;
        _pledges[trainingId][seat] = Pledge(commitment, nonceDigest);
        _exchangeKeys[trainingId][msg.sender] = _parties[msg.sender].exchangeKey;
        uint256 bond = training.terms.ownerBond;
        _countBond(training.terms.token, bond);
        emit Joined(trainingId, msg.sender, seat, commitment, nonceDigest);
        // Interaction
        _take(training.terms.token, bond);
    }

    function _checkAdmission(
        Training storage training,
        bytes32 digest,
        bytes calldata aggregatorSignature,
        bytes calldata buyerSignature
    ) private view {
        Admission admission = training.terms.admission;
        address aggregator = training.terms.aggregator;
        if (admission != Admission.Buyer && !Signatures.isSignedBy(aggregator, digest, aggregatorSignature)) {
            revert Marketplace_BadSignature(aggregator);
        }
        if (admission != Admission.Aggregator && !Signatures.isSignedBy(training.buyer, digest, buyerSignature)) {
            revert Marketplace_BadSignature(training.buyer);
        }
    }

    // ---- drawing the roles ----

    function close(uint256 trainingId) external payable override {
        Training storage training = _trainings[trainingId];
        // Check
        _requireStatus(trainingId, training, Status.Open);
        uint256 bond = training.terms.aggregatorBond;
        bool byAggregator = msg.sender == training.terms.aggregator;
        if (bond > 0 && !byAggregator) revert Marketplace_NotParty(trainingId, msg.sender);
        bool enough = training.seats.length >= training.terms.minOwners;
        bool mayClose = byAggregator || block.timestamp >= training.joinUntil;
        if (!enough || !mayClose) revert Marketplace_TooEarly(trainingId, training.joinUntil);
        // Effect: the block after this one, mined before anybody's nonce is known. No later call fixes another.
        training.status = Status.Drawing;
        training.drawBlock = uint64(block.number + 1);
        training.revealUntil = uint64(block.timestamp + training.terms.revealSeconds);
        training.roundUntil = training.revealUntil + training.terms.roundSeconds;
        _countBond(training.terms.token, bond);
        emit Closed(trainingId, training.drawBlock);
        // Interaction
        _take(training.terms.token, bond);
    }

    function reveal(uint256 trainingId, bytes32 nonce) external override {
        Training storage training = _trainings[trainingId];
        // Check
        _requireStatus(trainingId, training, Status.Drawing);
        uint256 seat = _seatOf(trainingId, msg.sender);
        if ((training.revealed >> seat) & 1 == 1) revert Marketplace_AlreadyRevealed(trainingId, msg.sender);
        if (block.number <= training.drawBlock) revert Marketplace_TooEarly(trainingId, training.drawBlock);
        if (block.timestamp >= training.revealUntil) revert Marketplace_TooLate(trainingId, training.revealUntil);
        Pledge storage pledge = _pledges[trainingId][seat];
        if (keccak256(abi.encode(trainingId, msg.sender, nonce)) != pledge.nonce) {
            revert Marketplace_WrongNonce(trainingId, msg.sender);
        }
        // Effect: the hash is kept, since a block's hash is gone 256 blocks later and there may be more to come
        if (training.drawHash == 0) {
            training.drawHash = blockhash(training.drawBlock);
            if (training.drawHash == 0) revert Marketplace_HashGone(trainingId, training.drawBlock);
        }
        pledge.nonce = nonce;
        training.revealed |= 1 << seat;
        emit Revealed(trainingId, msg.sender, seat, nonce);
    }

    function draw(uint256 trainingId) external override {
        Training storage training = _trainings[trainingId];
        // Check
        _requireStatus(trainingId, training, Status.Drawing);
        uint256 revealed = training.revealed;
        uint256 count = _bits(revealed);
        if (count < training.seats.length && block.timestamp < training.revealUntil) {
            revert Marketplace_TooEarly(trainingId, training.revealUntil);
        }
        if (count < training.terms.minOwners) {
            revert Marketplace_TooFewRevealed(trainingId, count, training.terms.minOwners);
        }
        // Effect
        training.seed = _drawSeed(trainingId, training, revealed, count);
        training.status = Status.Running;
        _beginFold(trainingId, training, 1);
        _forfeitUnrevealed(trainingId, training);
    }

    /// What the order of the seats in a mask follows from.
    function _drawSeed(uint256 trainingId, Training storage training, uint256 mask, uint256 owners)
        private
        view
        returns (bytes32)
    {
        bytes32[] memory nonces = new bytes32[](owners);
        uint256 index;
        for (uint256 seat = 0; index < owners; ++seat) {
            if ((mask >> seat) & 1 == 1) nonces[index++] = _pledges[trainingId][seat].nonce;
        }
        return keccak256(abi.encodePacked(nonces, training.drawHash, trainingId));
    }

    /// A round's validators are drawn for its whole fold, and all others train.
    function _beginFold(uint256 trainingId, Training storage training, uint256 round) private {
        uint256 validators = _validatorsOf(training, round);
        uint256 trainers = training.revealed & ~validators;
        (training.trainers, training.validators) = (trainers, validators);
        emit RolesDrawn(trainingId, trainers, validators);
    }

    function _validatorsOf(Training storage training, uint256 round) private view returns (uint256) {
        Terms storage terms = training.terms;
        return _checks.validatorsOf(training.revealed, training.seed, terms.folds, terms.rounds, round);
    }

    function _beginsFold(Training storage training, uint256 round) private view returns (bool) {
        return (round - 1) % (training.terms.rounds / training.terms.folds) == 0;
    }

    // ---- rounds ----

    function recordRound(
        RoundRecord calldata record,
        bytes calldata buyerSignature,
        bytes[] calldata validatorSignatures
    ) external override {
        Training storage training = _trainings[record.trainingId];
        // Check
        _requireStatus(record.trainingId, training, Status.Running);
        _checkPlace(record, training);
        _checkCaller(record.trainingId, training);
        bytes32 digest = hashRecord(record);
        _checkSignatures(record, training, digest, buyerSignature, validatorSignatures);
        (uint256 mseAfter, uint256 left) = _checkMetrics(record, training);
        // Effect
        if (_beginsFold(training, record.round)) {
            training.firstMse = uint128(record.mseBefore);
            training.bestMse = uint128(record.mseBefore);
        }
        int256[] memory shapley = Shapley.values(record.mseBefore, record.own, record.cross);
        uint256[] memory weights = Shapley.payWeights(training.bestMse, left, shapley);
        // Of several folds each one's weights are shares of its own first error.
        if (training.terms.folds > 1) Shapley.divide(weights, training.firstMse);
        training.lastMse = uint128(mseAfter);
        training.leftMse = uint128(left);
        if (left < training.bestMse) training.bestMse = uint128(left);
        if (record.deliveredDigest == record.modelDigest) training.deliveredMse = uint128(left);
        training.measuredBy = record.validators;
        training.recorded = record.round;
        training.ended = record.last;
        training.roundUntil = uint64(block.timestamp + training.terms.roundSeconds);
        _recordDigests[record.trainingId][record.round] = digest;
        _accrue(record, training, shapley, weights);
        emit RoundRecorded(record.trainingId, record.round, record, mseAfter, shapley, weights);
        if (!record.last && _beginsFold(training, record.round + 1)) {
            training.improved += uint128(Shapley.improvement(training.firstMse, training.deliveredMse));
            // Until the next fold has a round it has improved nothing.
            training.deliveredMse = training.firstMse;
            _beginFold(record.trainingId, training, record.round + 1);
        }
    }

    function _checkPlace(RoundRecord calldata record, Training storage training) private view {
        if (record.round != 0 && record.round <= training.recorded) {
            revert Marketplace_RoundAlreadyRecorded(
                record.trainingId, record.round, _recordDigests[record.trainingId][record.round]
            );
        }
        uint16 expected = training.ended ? 0 : training.recorded + 1;
        if (record.round != expected || training.ended) {
            revert Marketplace_UnexpectedRound(record.trainingId, record.round, expected);
        }
    }

    function _checkCaller(uint256 trainingId, Training storage training) private view {
        if (msg.sender == training.terms.aggregator) return;
        // A silent aggregator must not keep a signed round from being recorded.
        uint64 half = training.roundUntil - training.terms.roundSeconds / 2;
        if (block.timestamp < half) revert Marketplace_TooEarly(trainingId, half);
    }

    function _checkSignatures(
        RoundRecord calldata record,
        Training storage training,
        bytes32 digest,
        bytes calldata buyerSignature,
        bytes[] calldata validatorSignatures
    ) private view {
        if (!Signatures.isSignedBy(training.buyer, digest, buyerSignature)) {
            revert Marketplace_BadSignature(training.buyer);
        }
        if (record.validators & ~training.validators != 0 || _bits(record.validators) != validatorSignatures.length) {
            revert Marketplace_InvalidMetrics(record.trainingId, record.round);
        }
        uint256 signed;
        uint256 index;
        for (uint256 seat = 0; seat < training.seats.length; ++seat) {
            if ((record.validators >> seat) & 1 == 0) continue;
            // One that is not valid does not count, and does not keep the others from being recorded.
            if (Signatures.isSignedBy(training.seats[seat], digest, validatorSignatures[index++])) ++signed;
        }
        uint256 needed = _bits(training.validators) / 2 + 1;
        if (signed < needed) revert Marketplace_TooFewSignatures(record.trainingId, signed, needed);
    }

    function _checkMetrics(RoundRecord calldata record, Training storage training)
        private
        view
        returns (uint256 mseAfter, uint256 left)
    {
        uint256 count = _bits(record.trainers);
        bool begins = _beginsFold(training, record.round);
        bool valid = count >= 2 && record.trainers & ~training.trainers == 0
            && record.own.length == count && record.cross.length == count && record.mseBefore < METRIC_BOUND
            && (record.last || record.round < training.terms.rounds)
            // Of a fold's models an earlier one may be better; the first is the only one there is.
            && (!begins || record.deliveredDigest == record.modelDigest);
        // Both divide: a perfect model cannot improve, and no round follows one.
        left = begins ? record.mseBefore : training.leftMse;
        valid = valid && record.mseBefore > 0 && left > 0;
        // v₀ is measured in a fold's first round and by a new set of validators; otherwise it follows from the last round.
        if (!begins && record.validators == training.measuredBy) {
            valid = valid && record.mseBefore == training.lastMse;
        }
        for (uint256 i = 0; valid && i < count; ++i) {
            int256 cross = record.cross[i];
            valid = record.own[i] < METRIC_BOUND && cross < int256(METRIC_BOUND) && cross > -int256(METRIC_BOUND);
        }
        int256 mse = valid ? Shapley.mseAfter(record.cross) : int256(-1);
        if (mse >= 0) left = Shapley.errorLeft(left, record.mseBefore, uint256(mse));
        if (mse < 0 || left >= METRIC_BOUND) revert Marketplace_InvalidMetrics(record.trainingId, record.round);
        return (uint256(mse), left);
    }

    /// Pay weights by contribution; the fixed shares of this round, and of all that remain when it is the last.
    function _accrue(
        RoundRecord calldata record,
        Training storage training,
        int256[] memory shapley,
        uint256[] memory weights
    ) private {
        Terms storage terms = training.terms;
        uint256 rounds = record.last ? uint256(terms.rounds) - record.round + 1 : 1;
        uint256 base = training.deposit * rounds;
        uint256 scale = BASIS_POINTS * terms.rounds;
        uint128 participation = SafeCast.toUint128(base * terms.participationBps / scale / shapley.length);
        uint128 validation = SafeCast.toUint128(base * terms.validationBps / scale / _bits(record.validators));
        training.aggregation += SafeCast.toUint128(base * terms.aggregationBps / scale);
        mapping(uint256 => Seat) storage seats = _seats[record.trainingId];
        uint256 index;
        uint256 total;
        uint256 fixedPay;
        uint16 payees;
        for (uint256 i = 0; i < training.seats.length; ++i) {
            bool trains = (record.trainers >> i) & 1 == 1;
            if (!trains && (record.validators >> i) & 1 == 0) continue;
            Seat storage seat = seats[i];
            (uint128 weight, uint128 pay) = (seat.payWeight, seat.fixedPay);
            bool unpaid = weight | pay == 0;
            if (trains) {
                seat.shapley += shapley[index];
                total += weights[index];
                weight += SafeCast.toUint128(weights[index++]);
            }
            uint128 earned = trains ? participation : validation;
            fixedPay += earned;
            pay += earned;
            (seat.payWeight, seat.fixedPay) = (weight, pay);
            if (unpaid && weight | pay > 0) ++payees;
        }
        training.totalWeight += SafeCast.toUint128(total);
        training.fixedPay += SafeCast.toUint128(fixedPay);
        training.payees += payees;
    }

    // ---- the end ----

    function settle(uint256 trainingId) external override {
        Training storage training = _trainings[trainingId];
        // Check
        _requireStatus(trainingId, training, Status.Running);
        if (!training.ended && training.recorded == 0) revert Marketplace_TooEarly(trainingId, _endsAt(training));
        if (!training.ended) _requireLate(trainingId, training);
        // Effect
        training.status = Status.Settled;
        training.endedAt = uint48(block.timestamp);
        uint256 improvement = (training.improved + Shapley.improvement(training.firstMse, training.deliveredMse))
            / training.terms.folds;
        // Where nobody has weight nobody takes of the pot.
        uint256 pot = training.totalWeight == 0
            ? 0
            : training.deposit * training.terms.contributionBps * improvement / (BASIS_POINTS * FIXED_POINT);
        address token = training.terms.token;
        uint256 unclaimed = pot + training.fixedPay;
        uint256 paid = unclaimed + training.aggregation;
        uint256 refund = training.deposit - paid;
        _divide(training, token, pot, unclaimed);
        _credit(trainingId, token, training.terms.aggregator, Share.Aggregation, training.aggregation);
        _credit(trainingId, token, training.buyer, Share.Refund, refund);
        emit Settled(trainingId, improvement, paid, refund);
    }

    function cancel(uint256 trainingId) external override {
        Training storage training = _trainings[trainingId];
        // Check
        if (training.status == Status.Open) {
            if (msg.sender != training.buyer && !_hasNotClosed(training)) {
                revert Marketplace_NotParty(trainingId, msg.sender);
            }
        } else {
            if (training.status != Status.Drawing && training.status != Status.Running) {
                revert Marketplace_WrongStatus(trainingId, training.status);
            }
            if (training.recorded > 0) revert Marketplace_WrongStatus(trainingId, training.status);
            if (!_hasTooFewRevealed(training)) _requireLate(trainingId, training);
        }
        // Effect
        if (training.status == Status.Drawing) _forfeitUnrevealed(trainingId, training);
        address token = training.terms.token;
        training.status = Status.Cancelled;
        training.endedAt = uint48(block.timestamp);
        // Nobody looks at owners' rows and errors, is silent, and has all of the deposit back.
        uint256 drawn = _bits(training.trainers | training.validators);
        uint256 each = drawn == 0 ? 0 : training.deposit * training.terms.abandonBps / BASIS_POINTS / drawn;
        uint256 refund = training.deposit - each * drawn;
        _divide(training, token, each, each * drawn);
        _credit(trainingId, token, training.buyer, Share.Refund, refund);
        emit Cancelled(trainingId, refund);
    }

    /// Keeps what owners have to claim; all else of the deposit is about to be credited.
    function _divide(Training storage training, address token, uint256 pot, uint256 unclaimed) private {
        (training.pot, training.unclaimed) = (SafeCast.toUint128(pot), SafeCast.toUint128(unclaimed));
        totalEscrow[token] -= training.deposit - unclaimed;
    }

    function claim(uint256 trainingId) external override returns (uint256 amount) {
        Training storage training = _trainings[trainingId];
        // Check
        bool settled = training.status == Status.Settled;
        if (!settled) _requireStatus(trainingId, training, Status.Cancelled);
        uint256 seat = _seatOf(trainingId, msg.sender);
        (bool owed, uint256 contribution, uint256 fixedPay) = _owedTo(trainingId, training, seat);
        if (!owed) revert Marketplace_NothingToClaim(trainingId, msg.sender);
        // Effect
        training.claimed |= 1 << seat;
        address token = training.terms.token;
        bool validates = training.terms.folds == 1 && (training.validators >> seat) & 1 == 1;
        Share share = validates ? Share.Validation : Share.Participation;
        if (!settled) share = Share.Abandonment;
        _credit(trainingId, token, msg.sender, Share.Contribution, contribution);
        _credit(trainingId, token, msg.sender, share, fixedPay);
        amount = contribution + fixedPay;
        uint256 released = amount;
        if (settled && --training.payees == 0) {
            // What is left over of dividing the pot, less than one unit a trainer
            released = training.unclaimed;
            _credit(trainingId, token, training.buyer, Share.Refund, released - amount);
        }
        training.unclaimed -= SafeCast.toUint128(released);
        totalEscrow[token] -= released;
    }

    /// Whether a seat of a training that is over has a claim left, and to how much. A weight whose part of the pot is
    /// below one unit claims nothing, and its claim counts, so that what is left over is not kept.
    function _owedTo(uint256 trainingId, Training storage training, uint256 seat)
        private
        view
        returns (bool owed, uint256 contribution, uint256 fixedPay)
    {
        if ((training.claimed >> seat) & 1 == 1) return (false, 0, 0);
        if (training.status == Status.Cancelled) {
            fixedPay = ((training.trainers | training.validators) >> seat) & 1 == 1 ? training.pot : 0;
            return (fixedPay > 0, 0, fixedPay);
        }
        Seat storage pay = _seats[trainingId][seat];
        uint256 weight = pay.payWeight;
        fixedPay = pay.fixedPay;
        if (weight > 0) contribution = training.pot * weight / training.totalWeight;
        owed = weight | fixedPay > 0;
    }

    // ---- bonds ----

    function releaseBond(uint256 trainingId) external override returns (uint256 amount) {
        Training storage training = _trainings[trainingId];
        // Check
        uint64 until = bondUntil(trainingId, msg.sender);
        if (until == 0) revert Marketplace_WrongStatus(trainingId, training.status);
        if (block.timestamp < until) revert Marketplace_TooEarly(trainingId, until);
        // Effect
        amount = _endBond(trainingId, training, msg.sender);
        _credit(trainingId, training.terms.token, msg.sender, Share.Bond, amount);
    }

    function accuseOfTwoRecords(
        RoundRecord calldata first,
        bytes calldata firstSignature,
        RoundRecord calldata second,
        bytes calldata secondSignature,
        address account
    ) external override {
        Training storage training = _trainings[first.trainingId];
        // Check
        bytes32 digest = hashRecord(first);
        bytes32 other = hashRecord(second);
        bool sameRound = first.trainingId == second.trainingId && first.round == second.round;
        if (!sameRound || digest == other || !_isOfDrawn(training, first) || !_isOfDrawn(training, second)) {
            revert Marketplace_NoFault(first.trainingId, account);
        }
        _requireKey(account, digest, firstSignature);
        _requireKey(account, other, secondSignature);
        // Effect
        _forfeit(first.trainingId, training, account, Fault.TwoRecords);
    }

    /// Where a reorganisation gives a number to another training, or its draw another outcome, seats are drawn anew.
    function _isOfDrawn(Training storage training, RoundRecord calldata record) private view returns (bool) {
        if (training.seed == 0 || record.trainers == 0) return false;
        uint256 validators = _validatorsOf(training, record.round);
        return record.trainers & ~(training.revealed & ~validators) == 0 && record.validators & ~validators == 0;
    }

    function accuseOfFalseOpening(
        Opening calldata opening,
        bytes calldata signature,
        bytes calldata power,
        uint256 steps
    ) external override returns (uint256 left) {
        Training storage training = _trainings[opening.trainingId];
        address buyer = training.buyer;
        // Check
        if (bondOf(opening.trainingId, buyer) == 0) revert Marketplace_NoBond(opening.trainingId, buyer);
        if (steps == 0) revert Marketplace_InvalidTerms("steps");
        bytes32 digest = hashOpening(opening);
        _requireKey(buyer, digest, signature);
        Doubt storage doubt = _doubts[digest];
        uint256 done = doubt.done;
        bool follows = done == 0 ? power.length == 0 : keccak256(power) == doubt.powerDigest;
        if (!follows) revert Marketplace_WrongPower(digest, done);
        (bytes memory raised, uint256 all, bool isFalse) = _checks.raise(opening, power, done, steps);
        left = steps < all - done ? all - done - steps : 0;
        if (left == 0 && !isFalse) revert Marketplace_NoFault(opening.trainingId, buyer);
        // Effect
        if (left == 0) {
            _forfeit(opening.trainingId, training, buyer, Fault.FalseOpening);
            return 0;
        }
        training.openingDoubted = true;
        (doubt.done, doubt.powerDigest) = (all - left, keccak256(raised));
        emit OpeningDoubted(opening.trainingId, digest, all - left, all);
    }

    /// Nobody could reveal, perhaps, where nobody did: the hash of drawBlock may have been gone.
    function _forfeitUnrevealed(uint256 trainingId, Training storage training) private {
        uint256 revealed = training.revealed;
        if (training.terms.ownerBond == 0 || revealed == 0) return;
        for (uint256 seat = 0; seat < training.seats.length; ++seat) {
            if ((revealed >> seat) & 1 == 1) continue;
            _forfeit(trainingId, training, training.seats[seat], Fault.NoReveal);
        }
    }

    function _forfeit(uint256 trainingId, Training storage training, address account, Fault fault) private {
        uint256 amount = _endBond(trainingId, training, account);
        address token = training.terms.token;
        emit BondForfeited(trainingId, account, fault, token, amount);
        _credit(trainingId, token, training.terms.forfeitTo, Share.Forfeit, amount);
    }

    /// A bond ends once: lost or released.
    function _endBond(uint256 trainingId, Training storage training, address account)
        private
        returns (uint256 amount)
    {
        amount = bondOf(trainingId, account);
        if (amount == 0) revert Marketplace_NoBond(trainingId, account);
        if (account == training.buyer) training.buyerUnbonded = true;
        else if (account == training.terms.aggregator) training.aggregatorUnbonded = true;
        else training.unbonded |= 1 << _seatOf(trainingId, account);
        totalBonds[training.terms.token] -= amount;
    }

    function _countBond(address token, uint256 amount) private {
        if (amount > 0) totalBonds[token] += amount;
    }

    /// Exactly the amount, with the call or by the sender's allowance. What is not there afterwards undoes all of it,
    /// whatever the token called meanwhile.
    function _take(address token, uint256 amount) private {
        uint256 expected = token == Tokens.NATIVE ? amount : 0;
        if (msg.value != expected) revert Marketplace_WrongValue(msg.value, expected);
        if (expected < amount) Tokens.take(token, amount);
    }

    function _requireKey(address account, bytes32 digest, bytes calldata signature) private pure {
        if (!Signatures.isSignedByKeyOf(account, digest, signature)) revert Marketplace_BadSignature(account);
    }

    // ---- credits ----

    function withdraw(address token, address to) external override returns (uint256 amount) {
        // Check
        // Tokens that a token's own contract or this one gets are nobody's.
        if (to == address(this) || (to == token && token != Tokens.NATIVE)) revert Marketplace_InvalidTerms("to");
        amount = _credits[token][msg.sender];
        if (amount == 0) revert Marketplace_NothingToWithdraw(token, msg.sender);
        // Effect: before the transfer, so that a receiver or token that calls back finds nothing
        _credits[token][msg.sender] = 0;
        address receiver = to == address(0) ? msg.sender : to;
        emit Withdrawn(msg.sender, receiver, token, amount);
        // Interaction
        Tokens.pay(token, receiver, amount);
    }

    function _credit(uint256 trainingId, address token, address account, Share share, uint256 amount)
        private
        returns (uint256)
    {
        if (amount == 0) return 0;
        _credits[token][account] += amount;
        emit Credited(trainingId, account, share, token, amount);
        return amount;
    }

    // ---- views ----

    function version() external pure override returns (string memory) {
        return VERSION;
    }

    function supportsInterface(bytes4 interfaceId) external pure override returns (bool) {
        return interfaceId == type(IMarketplace).interfaceId || interfaceId == type(IERC165).interfaceId;
    }

    function statusOf(uint256 trainingId) external view override returns (Status) {
        return _trainings[trainingId].status;
    }

    function termsOf(uint256 trainingId)
        external
        view
        override
        returns (address buyer, uint256 deposit, Terms memory terms)
    {
        Training storage training = _trainings[trainingId];
        return (training.buyer, training.deposit, training.terms);
    }

    function ownersOf(uint256 trainingId)
        external
        view
        override
        returns (address[] memory seats, uint256 trainers, uint256 validators)
    {
        Training storage training = _trainings[trainingId];
        return (training.seats, training.trainers, training.validators);
    }

    function progressOf(uint256 trainingId)
        external
        view
        override
        returns (
            uint64 joinUntil,
            uint64 drawBlock,
            uint64 roundUntil,
            uint16 recorded,
            uint256 firstMse,
            uint256 lastMse
        )
    {
        Training storage training = _trainings[trainingId];
        return (
            training.joinUntil,
            training.drawBlock,
            training.roundUntil,
            training.recorded,
            training.firstMse,
            training.lastMse
        );
    }

    function drawOf(uint256 trainingId)
        external
        view
        override
        returns (uint64 revealUntil, bytes32 drawHash, uint256 revealed)
    {
        Training storage training = _trainings[trainingId];
        return (training.revealUntil, training.drawHash, training.revealed);
    }

    function joinedWith(uint256 trainingId, address owner)
        external
        view
        override
        returns (bytes32 commitment, bytes32 nonce)
    {
        Pledge storage pledge = _pledges[trainingId][_seatOf(trainingId, owner)];
        return (pledge.commitment, pledge.nonce);
    }

    function contributionOf(uint256 trainingId, address owner)
        external
        view
        override
        returns (int256 shapley, uint256 payWeight)
    {
        Seat storage seat = _seats[trainingId][_seatOf(trainingId, owner)];
        return (seat.shapley, seat.payWeight);
    }

    function claimableOf(uint256 trainingId, address owner) external view override returns (uint256) {
        Training storage training = _trainings[trainingId];
        uint256 number = _seatNumbers[trainingId][owner];
        bool over = training.status == Status.Settled || training.status == Status.Cancelled;
        if (number == 0 || !over) return 0;
        (, uint256 contribution, uint256 fixedPay) = _owedTo(trainingId, training, number - 1);
        return contribution + fixedPay;
    }

    function roleOf(address account) external view override returns (Role) {
        return _parties[account].role;
    }

    function exchangeKeyOf(uint256 trainingId, address account) external view override returns (bytes32) {
        return trainingId == 0 ? _parties[account].exchangeKey : _exchangeKeys[trainingId][account];
    }

    function creditOf(address token, address account) external view override returns (uint256) {
        return _credits[token][account];
    }

    function bondOf(uint256 trainingId, address account) public view override returns (uint256) {
        Training storage training = _trainings[trainingId];
        if (account == training.buyer) return training.buyerUnbonded ? 0 : training.terms.buyerBond;
        if (account == training.terms.aggregator) {
            return training.drawBlock == 0 || training.aggregatorUnbonded ? 0 : training.terms.aggregatorBond;
        }
        uint256 number = _seatNumbers[trainingId][account];
        return number == 0 || (training.unbonded >> (number - 1)) & 1 == 1 ? 0 : training.terms.ownerBond;
    }

    function bondUntil(uint256 trainingId, address account) public view override returns (uint64) {
        Training storage training = _trainings[trainingId];
        if (training.endedAt == 0) return 0;
        uint64 quarter = training.terms.roundSeconds / 4;
        bool longer = training.openingDoubted && account == training.buyer;
        return training.endedAt + (longer ? 2 * quarter : quarter);
    }

    function doubtOf(bytes32 openingDigest) external view override returns (uint256 done, bytes32 powerDigest) {
        Doubt storage doubt = _doubts[openingDigest];
        return (doubt.done, doubt.powerDigest);
    }

    function hashRecord(RoundRecord calldata record) public view override returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    RECORD_TYPEHASH,
                    record.trainingId,
                    record.round,
                    record.last,
                    record.trainers,
                    record.validators,
                    record.mseBefore,
                    keccak256(abi.encodePacked(record.own)),
                    keccak256(abi.encodePacked(record.cross)),
                    record.modelDigest,
                    record.deliveredDigest,
                    record.transcriptDigest
                )
            )
        );
    }

    function hashOpening(Opening calldata opening) public view override returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    OPENING_TYPEHASH,
                    opening.trainingId,
                    opening.round,
                    keccak256(opening.modulus),
                    keccak256(opening.ciphertext),
                    keccak256(opening.plaintext),
                    keccak256(opening.root)
                )
            )
        );
    }

    function hashAdmission(uint256 trainingId, address owner, bytes32 commitment)
        public
        view
        override
        returns (bytes32)
    {
        bytes32 requestHash = _trainings[trainingId].terms.requestHash;
        return _hashTypedDataV4(keccak256(abi.encode(ADMISSION_TYPEHASH, trainingId, owner, requestHash, commitment)));
    }

    function checkSignatures(
        RoundRecord calldata record,
        bytes calldata buyerSignature,
        bytes[] calldata validatorSignatures
    ) external view override returns (bool buyerSigned, bool[] memory signed, uint256[] memory gasUsed) {
        Training storage training = _trainings[record.trainingId];
        bytes32 digest = hashRecord(record);
        buyerSigned = Signatures.isSignedBy(training.buyer, digest, buyerSignature);
        signed = new bool[](validatorSignatures.length);
        gasUsed = new uint256[](validatorSignatures.length);
        uint256 index;
        for (uint256 seat = 0; seat < training.seats.length && index < signed.length; ++seat) {
            if ((record.validators >> seat) & 1 == 0) continue;
            uint256 before = gasleft();
            signed[index] = Signatures.isSignedBy(training.seats[seat], digest, validatorSignatures[index]);
            gasUsed[index++] = before - gasleft();
        }
    }

    // ---- pieces ----

    function _requireRole(address account, Role role) private view {
        if (_parties[account].role != role) revert Marketplace_WrongRole(account, role);
    }

    function _requireStatus(uint256 trainingId, Training storage training, Status status) private view {
        if (training.status != status) revert Marketplace_WrongStatus(trainingId, training.status);
    }

    function _seatOf(uint256 trainingId, address owner) private view returns (uint256) {
        uint256 number = _seatNumbers[trainingId][owner];
        if (number == 0) revert Marketplace_NotParty(trainingId, owner);
        return number - 1;
    }

    /// Whether nothing can come of the joining any more: too few came, or who alone may close has not.
    function _hasNotClosed(Training storage training) private view returns (bool) {
        if (training.terms.aggregatorBond > 0) {
            if (block.timestamp >= training.joinUntil + training.terms.revealSeconds) return true;
        }
        return block.timestamp >= training.joinUntil && training.seats.length < training.terms.minOwners;
    }

    /// Whether nothing can come of the draw any more.
    function _hasTooFewRevealed(Training storage training) private view returns (bool) {
        return training.status == Status.Drawing && block.timestamp >= training.revealUntil
            && _bits(training.revealed) < training.terms.minOwners;
    }

    /// From when on anyone may end a training that has stood still: a quarter of a round's time after it was late, so
    /// that nobody, the buyer least of all, settles ahead of a record that was signed in time.
    function _endsAt(Training storage training) private view returns (uint64) {
        return training.roundUntil + training.terms.roundSeconds / 4;
    }

    function _requireLate(uint256 trainingId, Training storage training) private view {
        uint64 endsAt = _endsAt(training);
        if (block.timestamp < endsAt) revert Marketplace_TooEarly(trainingId, endsAt);
    }

    /// Halves, quarters, … of the word are added side by side: the same gas for every mask.
    function _bits(uint256 mask) private pure returns (uint256) {
        unchecked {
            uint256 most = type(uint256).max;
            mask -= (mask >> 1) & (most / 3);
            mask = (mask & (most / 5)) + ((mask >> 2) & (most / 5));
            mask = (mask + (mask >> 4)) & (most / 17);
            mask = (mask + (mask >> 8)) & (most / 257);
            return mask * (most / 65_535) >> 240;
        }
    }
}
