// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {Shapley} from "../../src/Shapley.sol";

/// The library's functions in batches, so that tests outside the chain can compare thousands of games in few calls.
contract ShapleyHarness {
    struct Game {
        uint256 best;
        uint256 mseBefore;
        uint256[] own;
        int256[] cross;
    }

    struct Outcome {
        int256 mseAfter;
        int256[] shapley;
        uint256[] payWeights; // none when the error after is negative
    }

    function play(Game[] memory games) external pure returns (Outcome[] memory outcomes) {
        outcomes = new Outcome[](games.length);
        for (uint256 i = 0; i < games.length; ++i) {
            Game memory game = games[i];
            int256 reached = Shapley.mseAfter(game.cross);
            int256[] memory shapley = Shapley.values(game.mseBefore, game.own, game.cross);
            uint256[] memory weights;
            if (reached >= 0) weights = Shapley.payWeights(game.best, uint256(reached), shapley);
            outcomes[i] = Outcome(reached, shapley, weights);
        }
    }
}
