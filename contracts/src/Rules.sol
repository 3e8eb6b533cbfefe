// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "./IMarketplace.sol";
import {Tokens} from "./Tokens.sol";

/// @title What a training's terms may be.
abstract contract Rules {
    uint256 private constant BASIS_POINTS = 10_000;
    uint32 private constant MOST_JOIN_SECONDS = 365 days;
    uint32 private constant MOST_ROUND_SECONDS = 30 days;
    uint32 private constant MOST_REVEAL_SECONDS = 7 days;
    uint16 private constant MOST_ABANDON_BPS = 1000;

    /// @notice Reverts naming the first field that is out of its range.
    /// @param terms see IMarketplace
    /// @param deposit in smallest units
    /// @param buyer who opens; the caller is the market
    function checkTerms(IMarketplace.Terms calldata terms, uint256 deposit, address buyer) external view {
        _require(terms.requestHash != 0, "requestHash");
        _require(terms.rounds > 0 && terms.rounds <= 10_000, "rounds");
        _require(terms.folds > 0 && terms.folds <= 10 && terms.rounds % terms.folds == 0, "folds");
        // Two validators in each fold, and two owners that train beside the two of one.
        _require(terms.minOwners >= 4 && terms.minOwners >= 2 * terms.folds, "minOwners");
        _require(terms.maxOwners >= terms.minOwners && terms.maxOwners <= 256, "maxOwners");
        _require(terms.joinSeconds > 0 && terms.joinSeconds <= MOST_JOIN_SECONDS, "joinSeconds");
        _require(terms.roundSeconds > 0 && terms.roundSeconds <= MOST_ROUND_SECONDS, "roundSeconds");
        _require(terms.revealSeconds > 0 && terms.revealSeconds <= MOST_REVEAL_SECONDS, "revealSeconds");
        _require(terms.abandonBps <= MOST_ABANDON_BPS, "abandonBps");
        uint256 shares = uint256(terms.contributionBps) + terms.participationBps + terms.validationBps
            + terms.aggregationBps;
        _require(shares == BASIS_POINTS, "shares");
        _require(terms.token == Tokens.NATIVE || terms.token.code.length > 0, "token");
        // Below this a fixed share of a round could round to nothing.
        uint256 needed = BASIS_POINTS * terms.rounds * terms.maxOwners;
        if (deposit < needed) revert IMarketplace.Marketplace_DepositTooLow(deposit, needed);
        _require(deposit < 1 << 128, "deposit");
        _checkBonds(terms, buyer);
    }

    /// Who is credited with its own bond when it loses it has nothing to lose.
    function _checkBonds(IMarketplace.Terms calldata terms, address buyer) private view {
        if (terms.ownerBond == 0 && terms.aggregatorBond == 0 && terms.buyerBond == 0) return;
        address to = terms.forfeitTo;
        bool own = (terms.buyerBond > 0 && to == buyer) || (terms.aggregatorBond > 0 && to == terms.aggregator);
        _require(!own && to != address(0) && to != msg.sender, "forfeitTo");
    }

    function _require(bool valid, bytes32 field) private pure {
        if (!valid) revert IMarketplace.Marketplace_InvalidTerms(field);
    }
}
