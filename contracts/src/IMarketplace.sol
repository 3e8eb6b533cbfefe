// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

/// @title A market for encrypted trainings: it holds the deposit and pays each owner what it contributed.
interface IMarketplace {
    enum Role {
        None,
        ModelBuyer,
        DataOwner,
        FederatedAggregator
    }

    /// None → Open → Drawing → Running → Settled; Open, Drawing, Running → Cancelled. Time alone changes no status.
    enum Status {
        None,
        Open,
        Drawing,
        Running,
        Settled,
        Cancelled
    }

    enum Share {
        None,
        Contribution,
        Participation,
        Validation,
        Aggregation,
        Refund
    }

    struct Terms {
        address aggregator;
        bytes32 requestHash;
        uint16 rounds; // 1…10000
        uint16 minOwners; // at least 4: two trainers, two validators
        uint16 maxOwners; // at most 256: seats are bits of a mask
        uint16 contributionBps; // × improvement, by pay weight
        uint16 participationBps; // equal per trainer, per round it took part in
        uint16 validationBps; // equal per validator, per round it vouched for
        uint16 aggregationBps; // the four shares sum to 10000
        uint32 joinSeconds;
        uint32 roundSeconds; // from the last recorded round (or the draw) until anyone may settle or cancel
    }

    /// Metrics are target² in fixed point × 1e18. own[i], cross[i] belong to the i-th set bit of trainers.
    struct RoundRecord {
        uint256 trainingId;
        uint16 round; // from 1, in order
        bool last; // agreed number of rounds reached, or early stop
        uint256 trainers; // seats whose local models entered the average
        uint256 validators; // seats whose metrics entered the opening
        uint256 mseBefore;
        uint256[] own;
        int256[] cross;
        bytes32 modelDigest; // keccak256 of the refreshed model's ciphertexts
        bytes32 deliveredDigest; // of the model to be delivered if no round follows: this one's, or an earlier one's
        bytes32 transcriptDigest; // head of the signed transcript's hash chain
    }

    event Registered(address indexed account, Role role, bytes32 exchangeKey);
    event Opened(
        uint256 indexed trainingId, address indexed buyer, address indexed aggregator, uint256 deposit, Terms terms
    );
    event Joined(uint256 indexed trainingId, address indexed owner, uint256 seat);
    event Closed(uint256 indexed trainingId, uint256 drawBlock);
    event RolesDrawn(uint256 indexed trainingId, uint256 trainers, uint256 validators);
    event RoundRecorded(
        uint256 indexed trainingId,
        uint16 indexed round,
        RoundRecord record,
        uint256 mseAfter,
        int256[] shapley,
        uint256[] payWeights
    );
    event Settled(uint256 indexed trainingId, uint256 improvement, uint256 paid, uint256 refund);
    event Cancelled(uint256 indexed trainingId, uint256 refund);
    event Credited(uint256 indexed trainingId, address indexed account, Share share, uint256 amount);
    event Withdrawn(address indexed account, uint256 amount);

    error Marketplace_WrongRole(address account, Role needed);
    error Marketplace_NotParty(uint256 trainingId, address account);
    error Marketplace_WrongStatus(uint256 trainingId, Status status);
    error Marketplace_InvalidTerms(bytes32 field);
    error Marketplace_DepositTooLow(uint256 sent, uint256 needed);
    error Marketplace_TooEarly(uint256 trainingId, uint64 until);
    error Marketplace_TooLate(uint256 trainingId, uint64 until);
    error Marketplace_AlreadyJoined(uint256 trainingId, address owner);
    error Marketplace_NoSeatLeft(uint256 trainingId, uint16 maxOwners);
    error Marketplace_RoundAlreadyRecorded(uint256 trainingId, uint16 round, bytes32 recordDigest);
    error Marketplace_UnexpectedRound(uint256 trainingId, uint16 round, uint16 expected);
    error Marketplace_BadSignature(address expected);
    error Marketplace_TooFewSignatures(uint256 trainingId, uint256 signed, uint256 needed);
    error Marketplace_InvalidMetrics(uint256 trainingId, uint16 round);
    error Marketplace_NothingToWithdraw(address account);
    error Marketplace_TransferFailed(address account);

    /// Registers msg.sender only. One role per address; again = a new key for later trainings.
    function register(Role role, bytes32 exchangeKey) external;

    /// ModelBuyer only. Locks the sent ether as the deposit.
    function open(Terms calldata terms) external payable returns (uint256 trainingId);

    /// DataOwner only, while Open and before joinUntil.
    function join(uint256 trainingId) external;

    /// Aggregator from minOwners on, anyone after joinUntil. Fixes drawBlock; may be repeated once its hash is gone.
    function close(uint256 trainingId) external;

    /// Anyone, once drawBlock is in the past and its hash still known.
    function draw(uint256 trainingId) external;

    /// Aggregator; anyone once half of roundSeconds is over. Signatures of the buyer and more than half of the drawn
    /// validators: one for each that is listed, in seat order, empty = not signed.
    function recordRound(
        RoundRecord calldata record,
        bytes calldata buyerSignature,
        bytes[] calldata validatorSignatures
    ) external;

    /// Anyone, after the last round, or after roundUntil with at least one round recorded.
    function settle(uint256 trainingId) external;

    /// Buyer while Open; anyone after joinUntil below minOwners, or after roundUntil with no round recorded.
    function cancel(uint256 trainingId) external;

    /// Pays the sender's own credit out.
    function withdraw() external returns (uint256 amount);

    function statusOf(uint256 trainingId) external view returns (Status);
    function termsOf(uint256 trainingId) external view returns (address buyer, uint256 deposit, Terms memory terms);
    function ownersOf(uint256 trainingId)
        external
        view
        returns (address[] memory seats, uint256 trainers, uint256 validators);
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
    /// Sums over recorded rounds, × 1e18.
    function contributionOf(uint256 trainingId, address owner)
        external
        view
        returns (int256 shapley, uint256 payWeight);
    function roleOf(address account) external view returns (Role);
    /// The key as it was at open or join; trainingId 0 = the key registered now.
    function exchangeKeyOf(uint256 trainingId, address account) external view returns (bytes32);
    function creditOf(address account) external view returns (uint256);
    /// Invariant: balance = totalEscrow + Σ credits (+ ether forced upon the contract).
    function totalEscrow() external view returns (uint256);
    /// What recordRound would make of these signatures, and what each validator's would cost in gas. Whoever sends a
    /// record asks this first and leaves out signatures that do not count or cost too much.
    function checkSignatures(
        RoundRecord calldata record,
        bytes calldata buyerSignature,
        bytes[] calldata validatorSignatures
    ) external view returns (bool buyerSigned, bool[] memory signed, uint256[] memory gasUsed);
    /// The EIP-712 digest that buyer and validators sign.
    function hashRecord(RoundRecord calldata record) external view returns (bytes32);
}
