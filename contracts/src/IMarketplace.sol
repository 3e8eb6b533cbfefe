// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

/// @title A market for encrypted trainings: it holds the deposit and pays each owner what it contributed.
/// @notice Amounts are in the smallest units of a training's token (wei of the native coin, which is token zero), errors in target² × 1e18, times in Unix seconds, shares in basis points.
interface IMarketplace is IERC165 {
    /// @notice What an address is in this market, for life.
    enum Role {
        None,
        ModelBuyer,
        DataOwner,
        FederatedAggregator
    }

    /// @notice None → Open → Drawing → Running → Settled; Open, Drawing, Running → Cancelled. Time alone changes none.
    enum Status {
        None,
        Open,
        Drawing,
        Running,
        Settled,
        Cancelled
    }

    /// @notice Who must have signed an owner's admission before it may join.
    enum Admission {
        Both,
        Buyer,
        Aggregator
    }

    /// @notice What an amount was credited for.
    enum Share {
        None,
        Contribution,
        Participation,
        Validation,
        Aggregation,
        Refund,
        Abandonment,
        Bond,
        Forfeit
    }

    /// @notice What an account loses its bond for.
    enum Fault {
        None,
        NoReveal,
        TwoRecords,
        FalseOpening
    }

    /// @notice What a training pays and how long it may take; fixed when it is opened.
    /// @param aggregator who runs it; registered as such
    /// @param requestHash of the request document and the buyer's key
    /// @param rounds agreed at most: 1…10000
    /// @param minOwners at least 4: two trainers, two validators
    /// @param maxOwners at most 256: seats are bits of a mask
    /// @param folds one: whoever is drawn validates in all rounds. K, 10 at most and a divisor of the rounds, with minOwners
    /// of 2K or more: the owners are dealt into K folds, of which each validates in its K-th part of the rounds and trains
    /// in all others; every fold's first round starts anew
    /// @param contributionBps × improvement, by pay weight
    /// @param participationBps equal per trainer, per round it took part in
    /// @param validationBps equal per validator, per round it vouched for
    /// @param aggregationBps the four shares sum to 10000
    /// @param joinSeconds for how long owners may join: a year at most
    /// @param roundSeconds from the last recorded round, or from the end of the revealing, until a round is late: 30
    /// days at most
    /// @param revealSeconds from the close, for owners to reveal their nonces: a week at most
    /// @param abandonBps of the deposit to those who were drawn, where no round is recorded after: 1000 at most
    /// @param admission whose signature an owner needs to join
    /// @param token what it pays in: an ERC-20's address, zero for the native coin
    /// @param ownerBond what an owner deposits to join, in the token; zero: nothing, as with the other two
    /// @param aggregatorBond what the aggregator deposits to close; then nobody else may close
    /// @param buyerBond what the buyer deposits to open, beside the deposit
    /// @param forfeitTo who is credited with bonds that are lost. Where a bond is asked for: not zero, not the market,
    /// not the buyer or the aggregator if it has one itself
    struct Terms {
        address aggregator;
        bytes32 requestHash;
        uint16 rounds;
        uint16 minOwners;
        uint16 maxOwners;
        uint16 folds;
        uint16 contributionBps;
        uint16 participationBps;
        uint16 validationBps;
        uint16 aggregationBps;
        uint32 joinSeconds;
        uint32 roundSeconds;
        uint32 revealSeconds;
        uint16 abandonBps;
        Admission admission;
        address token;
        uint128 ownerBond;
        uint128 aggregatorBond;
        uint128 buyerBond;
        address forfeitTo;
    }

    /// @notice The numbers of one round, as buyer and validators sign them.
    /// @param trainingId of which training
    /// @param round from 1, in order
    /// @param last whether the agreed number of rounds is reached, or the training ends early
    /// @param trainers seats whose local models entered the average
    /// @param validators seats whose metrics entered the opening
    /// @param mseBefore the error of the model that the round started from; above zero
    /// @param own own[i] is the error of the local model of the i-th set bit of trainers
    /// @param cross cross[i] the sum of the products of its residuals with everybody's
    /// @param modelDigest keccak256 of the round's model's ciphertexts
    /// @param deliveredDigest of the model to be delivered if no round follows: this one's, or an earlier one's
    /// @param transcriptDigest head of the signed transcript's hash chain
    struct RoundRecord {
        uint256 trainingId;
        uint16 round;
        bool last;
        uint256 trainers;
        uint256 validators;
        uint256 mseBefore;
        uint256[] own;
        int256[] cross;
        bytes32 modelDigest;
        bytes32 deliveredDigest;
        bytes32 transcriptDigest;
    }

    /// @notice That a ciphertext of a round holds a number, as the buyer signs it: c = (1 + m·n)·rⁿ mod n². Numbers are
    /// big-endian.
    /// @param trainingId of which training
    /// @param round from 1
    /// @param modulus n, odd: 64 to 512 bytes, a multiple of 32, zeros before it where it is shorter
    /// @param ciphertext c < n², in twice as many bytes
    /// @param plaintext m < n, in as many bytes as n
    /// @param root r, 0 < r < n, as well
    struct Opening {
        uint256 trainingId;
        uint16 round;
        bytes modulus;
        bytes ciphertext;
        bytes plaintext;
        bytes root;
    }

    /// @notice An account has a role, or another exchange key for later trainings.
    event Registered(address indexed account, Role role, bytes32 exchangeKey);
    /// @notice A training is open, its deposit locked.
    event Opened(
        uint256 indexed trainingId, address indexed buyer, address indexed aggregator, uint256 deposit, Terms terms
    );
    /// @notice An owner has taken the next seat.
    event Joined(
        uint256 indexed trainingId, address indexed owner, uint256 seat, bytes32 commitment, bytes32 nonceDigest
    );
    /// @notice Joining is over, once and for all; owners reveal their nonces after drawBlock.
    event Closed(uint256 indexed trainingId, uint256 drawBlock);
    /// @notice An owner keeps its seat: its nonce is one of those that draw the roles.
    event Revealed(uint256 indexed trainingId, address indexed owner, uint256 seat, bytes32 nonce);
    /// @notice The seats of those who revealed are divided, as masks, once for each fold. A seat in neither is lost.
    event RolesDrawn(uint256 indexed trainingId, uint256 trainers, uint256 validators);
    /// @notice A round stands, with the error after it and what each of its trainers contributed, in seat order.
    event RoundRecorded(
        uint256 indexed trainingId,
        uint16 indexed round,
        RoundRecord record,
        uint256 mseAfter,
        int256[] shapley,
        uint256[] payWeights
    );
    /// @notice The deposit is divided; improvement × 1e18. Paid is what is set aside for the owners, who claim it, and
    /// credited to the aggregator.
    event Settled(uint256 indexed trainingId, uint256 improvement, uint256 paid, uint256 refund);
    /// @notice The training is over without a round; refund is the buyer's again. The rest, if roles were drawn, is
    /// claimed by those who have one.
    event Cancelled(uint256 indexed trainingId, uint256 refund);
    /// @notice An account may withdraw so much more of a token.
    event Credited(
        uint256 indexed trainingId, address indexed account, Share indexed share, address token, uint256 amount
    );
    /// @notice An account has lost its bond of a training; forfeitTo of the terms has the amount as its credit.
    event BondForfeited(
        uint256 indexed trainingId, address indexed account, Fault indexed fault, address token, uint256 amount
    );
    /// @notice Of the power that shows whether an opening is false so many steps are taken, with more to come.
    event OpeningDoubted(uint256 indexed trainingId, bytes32 indexed openingDigest, uint256 done, uint256 steps);
    /// @notice An account's credit of a token was paid out.
    event Withdrawn(address indexed account, address indexed to, address indexed token, uint256 amount);

    /// @notice The call takes an account of another role.
    error Marketplace_WrongRole(address account, Role needed);
    /// @notice The account has no part in the training, or not this one.
    error Marketplace_NotParty(uint256 trainingId, address account);
    /// @notice The training's status does not allow the call.
    error Marketplace_WrongStatus(uint256 trainingId, Status status);
    /// @notice A field of the terms, or an argument, is out of its range.
    error Marketplace_InvalidTerms(bytes32 field);
    /// @notice Below this a round's fixed share could round to nothing.
    error Marketplace_DepositTooLow(uint256 sent, uint256 needed);
    /// @notice The call may be repeated from this time on; a reveal, after this block.
    error Marketplace_TooEarly(uint256 trainingId, uint64 until);
    /// @notice The time for the call is over.
    error Marketplace_TooLate(uint256 trainingId, uint64 until);
    /// @notice The owner has a seat.
    error Marketplace_AlreadyJoined(uint256 trainingId, address owner);
    /// @notice Every seat is taken.
    error Marketplace_NoSeatLeft(uint256 trainingId, uint16 maxOwners);
    /// @notice An argument of the call is zero: "commitment" or "nonceDigest".
    error Marketplace_InvalidJoin(bytes32 argument);
    /// @notice It is not the nonce whose digest the owner joined with.
    error Marketplace_WrongNonce(uint256 trainingId, address owner);
    /// @notice The owner's nonce is known.
    error Marketplace_AlreadyRevealed(uint256 trainingId, address owner);
    /// @notice Too few owners have revealed: the training can be cancelled.
    error Marketplace_TooFewRevealed(uint256 trainingId, uint256 revealed, uint16 needed);
    /// @notice The hash of drawBlock is not known any more, and nobody revealed while it was.
    error Marketplace_HashGone(uint256 trainingId, uint64 drawBlock);
    /// @notice The round stands; recordDigest tells whether by the same record.
    error Marketplace_RoundAlreadyRecorded(uint256 trainingId, uint16 round, bytes32 recordDigest);
    /// @notice Rounds are recorded in order; expected is zero after the last.
    error Marketplace_UnexpectedRound(uint256 trainingId, uint16 round, uint16 expected);
    /// @notice The account has not signed the record, or the admission.
    error Marketplace_BadSignature(address expected);
    /// @notice Too few of the drawn validators have signed the record.
    error Marketplace_TooFewSignatures(uint256 trainingId, uint256 signed, uint256 needed);
    /// @notice Seats, numbers or lengths of the record cannot be.
    error Marketplace_InvalidMetrics(uint256 trainingId, uint16 round);
    /// @notice The owner has claimed its pay, or was owed none.
    error Marketplace_NothingToClaim(uint256 trainingId, address account);
    /// @notice The account has no credit of this token.
    error Marketplace_NothingToWithdraw(address token, address account);
    /// @notice The receiver takes no ether, or the token refused: to pay it, and the credit stays; or to take the
    /// deposit from the buyer, who has too few or has not allowed it.
    error Marketplace_TransferFailed(address account);
    /// @notice The ether sent is not the deposit; for a token none may be sent.
    error Marketplace_WrongValue(uint256 sent, uint256 needed);
    /// @notice The token says that it moved the amount, and this contract's balance says something else.
    error Marketplace_WrongAmountMoved(address token, uint256 moved, uint256 amount);

    /// @notice The account has no bond in the training: none was asked for, or it is lost or released.
    error Marketplace_NoBond(uint256 trainingId, address account);
    /// @notice What is shown is not what an account loses its bond for.
    error Marketplace_NoFault(uint256 trainingId, address account);
    /// @notice The opening's field has a length or a value that no opening has; see Opening.
    error Marketplace_InvalidOpening(bytes32 field);
    /// @notice It is not the power that the steps taken so far gave.
    error Marketplace_WrongPower(bytes32 openingDigest, uint256 done);
    /// @notice The chain's modexp precompile gave no result: the gas is too little for so many steps.
    error Marketplace_PowerFailed();

    /// @notice Registers the sender. One role per address; again in the same role is a new key for later trainings.
    /// @param role for life
    /// @param exchangeKey X25519, not zero
    function register(Role role, bytes32 exchangeKey) external;

    /// @notice Opens a training; a buyer only. The deposit and the buyer's bond come with the call (native coin), or
    /// from the sender's allowance, exactly: a token that takes a fee of it is refused.
    /// @param terms see Terms
    /// @param deposit in smallest units; with buyerBond the ether sent, where the token is the native coin
    /// @return trainingId from 1
    function open(Terms calldata terms, uint256 deposit) external payable returns (uint256 trainingId);

    /// @notice As open, with the sender's permit (EIP-2612) of exactly the deposit and the buyer's bond for
    /// this contract, so that no transaction of its own has to allow them. A permit that fails, as one that somebody
    /// has used already, stops nothing where the allowance is there.
    /// @param terms see Terms; not the native coin
    /// @param deposit in smallest units
    /// @param deadline until when the permit holds
    /// @param v of the permit's signature
    /// @param r of the permit's signature
    /// @param s of the permit's signature
    /// @return trainingId from 1
    function openWithPermit(
        Terms calldata terms,
        uint256 deposit,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 trainingId);

    /// @notice Takes a seat; a data owner only, while Open and before joinUntil, that those have admitted whom the
    /// terms name. What they signed holds for this training's request, this owner and this commitment alone. Takes
    /// ownerBond, exactly, as open takes the deposit.
    /// @param trainingId of which training
    /// @param commitment digest of what the owner has published so far and is bound to; not zero
    /// @param nonceDigest keccak256(abi.encode(trainingId, owner, nonce)) of a secret nonce; not zero
    /// @param aggregatorSignature of hashAdmission; not looked at where the terms ask for the buyer's alone
    /// @param buyerSignature of hashAdmission; not looked at where the terms ask for the aggregator's alone
    function join(
        uint256 trainingId,
        bytes32 commitment,
        bytes32 nonceDigest,
        bytes calldata aggregatorSignature,
        bytes calldata buyerSignature
    ) external payable;

    /// @notice Ends the joining, once, and fixes drawBlock and revealUntil; the first round's time begins at
    /// revealUntil. The aggregator from minOwners on, anyone after joinUntil. Where the terms ask for aggregatorBond it
    /// takes that, exactly, as open takes the deposit, and from the aggregator alone.
    /// @param trainingId of which training
    function close(uint256 trainingId) external payable;

    /// @notice Keeps the sender's seat; an owner that joined, after drawBlock and before revealUntil. The first reveal
    /// stores the hash of drawBlock, which must be one of the 256 newest then.
    /// @param trainingId of which training
    /// @param nonce whose digest the owner joined with
    function reveal(uint256 trainingId, bytes32 nonce) external;

    /// @notice Draws the roles among those who revealed, minOwners at least; anyone, once all have, or from
    /// revealUntil on. The seed is keccak256 of their nonces in seat order, the hash of drawBlock, and the training's
    /// number. It restarts no clock. Who has not revealed loses its bond, if it gave one.
    /// @param trainingId of which training
    function draw(uint256 trainingId) external;

    /// @notice Records a round and begins the time of the next. The aggregator; anyone in the second half of the
    /// round's time. The buyer must have signed, and more than half of the drawn validators; a validator's signature
    /// that is not valid does not count. An account signs with its key, or by its code (ERC-1271) at a bounded cost.
    /// @param record see RoundRecord
    /// @param buyerSignature of hashRecord
    /// @param validatorSignatures one for each seat in record.validators, in seat order; empty is not signed
    function recordRound(
        RoundRecord calldata record,
        bytes calldata buyerSignature,
        bytes[] calldata validatorSignatures
    ) external;

    /// @notice Divides the deposit: credits the aggregator and the buyer, and sets the owners' part aside for them to
    /// claim. Anyone: after the last round; with a round recorded, from a quarter of the round's
    /// time after roundUntil on. Until then what was signed in time can still be recorded.
    /// @param trainingId of which training
    function settle(uint256 trainingId) external;

    /// @notice Gives the deposit back. The buyer while Open; anyone after joinUntil with fewer than minOwners, or,
    /// where only the aggregator may close, from revealSeconds after joinUntil on; from revealUntil on where fewer have
    /// revealed, or with no round recorded, from a quarter of the round's time after roundUntil on. Once roles are
    /// drawn abandonBps of the deposit go to those who have one, in equal parts, which they claim. Before, those who
    /// have not revealed lose their bonds, unless nobody has.
    /// @param trainingId of which training
    function cancel(uint256 trainingId) external;

    /// @notice Credits the sender what it has earned with its seat, once, at any time after the training was settled or
    /// cancelled. What is left over of dividing the contribution is credited to the buyer with the last claim.
    /// @param trainingId of which training
    /// @return amount in all; a contribution below one unit is none
    function claim(uint256 trainingId) external returns (uint256 amount);

    /// @notice Credits the sender with its own bond, once bondUntil has come.
    /// @param trainingId that is Settled or Cancelled
    /// @return amount the bond
    function releaseBond(uint256 trainingId) external returns (uint256 amount);

    /// @notice Takes the bond of an account that signed two different records of one round, by its key: what a code
    /// says (ERC-1271) is no fault. Anyone, as long as the bond is there. Both records name seats that were drawn in
    /// this training, at least one trainer each: what another branch of the chain drew is not held against anybody.
    /// @param first see RoundRecord
    /// @param firstSignature of its hashRecord, by the account
    /// @param second of the same training and round, with another hashRecord
    /// @param secondSignature of that, by the account
    /// @param account with a bond in the training
    function accuseOfTwoRecords(
        RoundRecord calldata first,
        bytes calldata firstSignature,
        RoundRecord calldata second,
        bytes calldata secondSignature,
        address account
    ) external;

    /// @notice Takes the bond of a buyer that signed a false opening, by its key. Anyone, as long as the bond is there.
    /// rⁿ is raised 128 bits of n a step, from the highest: in one call, or in several of anybody's, since a call
    /// goes on where the one before ended. At the last step the bond is lost, or the call is refused (NoFault).
    /// Once a check has begun the buyer's bond stays for another quarter of the round's time.
    /// @param opening see Opening
    /// @param signature of its hashOpening, by the buyer
    /// @param power r^(n >> 128·steps left) mod n², in as many bytes as the ciphertext; before the first step empty
    /// @param steps to take in this call at most; above zero
    /// @return left how many steps are left
    function accuseOfFalseOpening(
        Opening calldata opening,
        bytes calldata signature,
        bytes calldata power,
        uint256 steps
    ) external returns (uint256 left);

    /// @notice Pays the sender's own credit of one token out. What a token refuses hurts this withdrawal alone.
    /// @param token zero is the native coin
    /// @param to whom; zero is the sender itself, and neither this contract nor the token's own is anybody
    /// @return amount all of the credit
    function withdraw(address token, address to) external returns (uint256 amount);

    /// @return of the interface: changes when a client must
    function version() external view returns (string memory);

    /// @param trainingId of which training
    /// @return None where it does not exist
    function statusOf(uint256 trainingId) external view returns (Status);

    /// @param trainingId of which training
    /// @return buyer who opened it
    /// @return deposit what it sent
    /// @return terms as they were opened
    function termsOf(uint256 trainingId) external view returns (address buyer, uint256 deposit, Terms memory terms);

    /// @param trainingId of which training
    /// @return seats the owners
    /// @return trainers as a mask of seats, zero before the draw
    /// @return validators as well; a seat that is in neither after the draw is lost
    function ownersOf(uint256 trainingId)
        external
        view
        returns (address[] memory seats, uint256 trainers, uint256 validators);

    /// @param trainingId of which training
    /// @return joinUntil until when owners may join
    /// @return drawBlock whose hash enters the draw of the roles
    /// @return roundUntil when the next round is late
    /// @return recorded rounds
    /// @return firstMse the error before the first round
    /// @return lastMse the error after the last recorded round
    function progressOf(uint256 trainingId)
        external
        view
        returns (
            uint64 joinUntil,
            uint64 drawBlock,
            uint64 roundUntil,
            uint16 recorded,
            uint256 firstMse,
            uint256 lastMse
        );

    /// @param trainingId of which training
    /// @return revealUntil until when owners may reveal; zero before the close
    /// @return drawHash of drawBlock, zero before the first reveal
    /// @return revealed who has, as a mask of seats
    function drawOf(uint256 trainingId)
        external
        view
        returns (uint64 revealUntil, bytes32 drawHash, uint256 revealed);

    /// @param trainingId of which training
    /// @param owner with a seat
    /// @return commitment that it joined with
    /// @return nonce that it revealed; before, the digest that it joined with
    function joinedWith(uint256 trainingId, address owner) external view returns (bytes32 commitment, bytes32 nonce);

    /// @param trainingId of which training
    /// @param owner with a seat
    /// @return shapley the sum of its values over the recorded rounds
    /// @return payWeight the sum of its weights, by which the contribution share is divided
    function contributionOf(uint256 trainingId, address owner)
        external
        view
        returns (int256 shapley, uint256 payWeight);

    /// @param trainingId of which training
    /// @param owner any
    /// @return what it would be credited if it claimed now
    function claimableOf(uint256 trainingId, address owner) external view returns (uint256);

    /// @param account any
    /// @return None where it has not registered
    function roleOf(address account) external view returns (Role);

    /// @param trainingId the key as it was when the account opened or joined this training; zero is the latest
    /// @param account any
    /// @return zero where there is none
    function exchangeKeyOf(uint256 trainingId, address account) external view returns (bytes32);

    /// @param token zero is the native coin
    /// @param account any
    /// @return what it may withdraw
    function creditOf(address token, address account) external view returns (uint256);

    /// @notice For each token: balance = totalEscrow + totalBonds + all credits (+ what was sent without a call).
    /// @param token zero is the native coin
    /// @return the deposits of trainings that have not ended, and of the others what their owners have not claimed
    function totalEscrow(address token) external view returns (uint256);

    /// @param token zero is the native coin
    /// @return the bonds that are neither lost nor released
    function totalBonds(address token) external view returns (uint256);

    /// @param trainingId of which training
    /// @param account any
    /// @return its bond in the training; zero where it gave none, or it is lost or released
    function bondOf(uint256 trainingId, address account) external view returns (uint256);

    /// @param trainingId of which training
    /// @param account any
    /// @return from when on the account may release its bond: a quarter of the round's time after the end, half of it
    /// for a buyer of whose openings one is doubted; zero where the training is not over
    function bondUntil(uint256 trainingId, address account) external view returns (uint64);

    /// @param openingDigest hashOpening of an opening
    /// @return done how many steps of accuseOfFalseOpening are taken
    /// @return powerDigest keccak256 of the power that they gave; zero before the first
    function doubtOf(bytes32 openingDigest) external view returns (uint256 done, bytes32 powerDigest);

    /// @notice What recordRound would make of these signatures. Whoever sends a record asks this first and leaves out
    /// signatures that do not count or cost too much.
    /// @param record see RoundRecord
    /// @param buyerSignature as for recordRound
    /// @param validatorSignatures as for recordRound
    /// @return buyerSigned whether the buyer's is valid
    /// @return signed which of the validators' are
    /// @return gasUsed what looking at each of them takes
    function checkSignatures(
        RoundRecord calldata record,
        bytes calldata buyerSignature,
        bytes[] calldata validatorSignatures
    ) external view returns (bool buyerSigned, bool[] memory signed, uint256[] memory gasUsed);

    /// @param record see RoundRecord
    /// @return the EIP-712 digest that buyer and validators sign
    function hashRecord(RoundRecord calldata record) external view returns (bytes32);

    /// @param opening see Opening
    /// @return the EIP-712 digest that the buyer signs
    function hashOpening(Opening calldata opening) external view returns (bytes32);

    /// @param trainingId of which training; its request's hash is signed as well
    /// @param owner who may join
    /// @param commitment as it is given to join
    /// @return the EIP-712 digest that aggregator and buyer sign
    function hashAdmission(uint256 trainingId, address owner, bytes32 commitment) external view returns (bytes32);
}
