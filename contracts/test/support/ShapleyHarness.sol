// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {Shapley} from "../../src/Shapley.sol";

/// The library's functions in batches, so that tests outside the chain can compare thousands of games in few calls.
contract ShapleyHarness {
    struct Game {
        uint256 best;
        uint256 left;
        uint256 mseBefore;
        uint256[] own;
        int256[] cross;
    }

    struct Outcome {
        int256 mseAfter;
        int256[] shapley;
        uint256[] payWeights; // none when the error after is negative
        uint256 left; // zero when the error before is, or the error after is negative
    }

    function play(Game[] memory games) external pure returns (Outcome[] memory outcomes) {
        outcomes = new Outcome[](games.length);
        for (uint256 i = 0; i < games.length; ++i) {
            Game memory game = games[i];
            int256 mseAfter = Shapley.mseAfter(game.cross);
            int256[] memory shapley = Shapley.values(game.mseBefore, game.own, game.cross);
            uint256[] memory weights;
            uint256 left;
            if (mseAfter >= 0 && game.mseBefore > 0) {
                left = Shapley.errorLeft(game.left, game.mseBefore, uint256(mseAfter));
            }
            if (mseAfter >= 0) weights = Shapley.payWeights(game.best, left, shapley);
            outcomes[i] = Outcome(mseAfter, shapley, weights, left);
        }
    }

    /// The improvement of whole trainings, from the errors before and after each of their rounds.
    function improve(uint256[][] memory mseBefore, uint256[][] memory mseAfter)
        external
        pure
        returns (uint256[] memory improvements)
    {
        improvements = new uint256[](mseBefore.length);
        for (uint256 i = 0; i < mseBefore.length; ++i) {
            uint256 left = mseBefore[i][0];
            for (uint256 round = 0; round < mseBefore[i].length; ++round) {
                left = Shapley.errorLeft(left, mseBefore[i][round], mseAfter[i][round]);
            }
            improvements[i] = Shapley.improvement(mseBefore[i][0], left);
        }
    }
}
