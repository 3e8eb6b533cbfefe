// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../../src/IMarketplace.sol";
import {BondHandler} from "./BondHandler.sol";
import {MoodyToken} from "./MoodyToken.sol";

/// Random parties that mostly do the next right thing with some training, and sometimes anything at any time; trainings
/// pay in ether, in a good token and in one that is good at times, and ask for bonds or do not.
contract Handler is BondHandler {
    uint256 private constant MOST_TRAININGS = 20;

    mapping(address => uint256) public forced; // by token, sent without a call
    mapping(address => uint256) public openedIn; // by token
    uint256[6] public reached; // how often a training came into each status
    uint256 public rounds;
    uint256 public withdrawals;
    uint256 public claims;
    mapping(uint256 => IMarketplace.Status) private _last;

    // ---- actions ----

    function openTraining(uint256 seed) external {
        if (trainings == MOST_TRAININGS) return;
        IMarketplace.Terms memory terms = defaultTerms();
        terms.rounds = uint16(between(seed, 2, 6));
        if (terms.rounds % 2 == 0 && seed >> 204 & 1 == 1) terms.folds = 2;
        terms.maxOwners = uint16(between(seed >> 8, 4, OWNERS));
        terms.abandonBps = uint16(between(seed >> 112, 0, 1000));
        terms.joinSeconds = uint32(between(seed >> 16, 500, 5000));
        terms.roundSeconds = uint32(between(seed >> 48, 500, 5000));
        terms.token = token(between(seed >> 160, 0, 2));
        terms.forfeitTo = charity;
        terms.ownerBond = uint128(seed >> 168 & 3 == 0 ? 0 : between(seed >> 170, 1, 0.1 ether));
        terms.aggregatorBond = uint128(seed >> 200 & 3 == 0 ? 0 : between(seed >> 178, 1, 0.1 ether));
        terms.buyerBond = uint128(seed >> 202 & 3 == 0 ? 0 : between(seed >> 186, 1, 0.1 ether));
        uint256 deposit = between(seed >> 80, 1e6, 1 ether);
        uint256 value = terms.token == NATIVE ? deposit + terms.buyerBond : 0;
        if (!_send(buyer, value, abi.encodeCall(IMarketplace.open, (terms, deposit)))) return; // the token refused
        (tokenOf[++trainings], depositOf[trainings]) = (terms.token, deposit);
        ++openedIn[terms.token];
        bonded[terms.token] += terms.buyerBond;
        _follow();
    }

    function advance(uint256 seed) external {
        if (trainings == 0) return;
        uint256 training = between(seed, 1, trainings);
        IMarketplace.Status status = market.statusOf(training);
        if (status == IMarketplace.Status.Open) {
            _fill(training, seed >> 8);
        } else if (status == IMarketplace.Status.Drawing) {
            if (vm.getBlockNumber() <= drawBlock(training)) vm.roll(drawBlock(training) + 1);
            _reveal(training, seed >> 8);
            bytes memory draw = abi.encodeCall(IMarketplace.draw, (training));
            if (!_try(stranger, draw) && seed >> 96 & 1 == 1) {
                // Those who are silent stay it.
                if (vm.getBlockTimestamp() < revealUntil(training)) vm.warp(revealUntil(training));
                if (!_try(stranger, draw)) _try(stranger, abi.encodeCall(IMarketplace.cancel, (training)));
            }
        } else if (status == IMarketplace.Status.Running) {
            // Before the last round and its deadline settling is refused: then the next round is recorded.
            if (!_try(stranger, abi.encodeCall(IMarketplace.settle, (training)))) _record(training, seed >> 8);
        } else {
            _claim(training, owner((seed >> 8) % OWNERS));
        }
        _follow();
    }

    function meddle(uint256 seed) external {
        uint256 training = between(seed, 0, trainings);
        address[] memory all = accounts();
        address account = all[(seed >> 8) % all.length];
        uint256 choice = (seed >> 16) % 7;
        if (choice == 0) _join(training, account, seed >> 24);
        if (choice == 1) _close(training, account);
        if (choice == 2) _try(account, abi.encodeCall(IMarketplace.draw, (training)));
        if (choice == 3) _try(account, abi.encodeCall(IMarketplace.settle, (training)));
        if (choice == 4) _try(account, abi.encodeCall(IMarketplace.cancel, (training)));
        if (choice == 5) _try(account, abi.encodeCall(IMarketplace.reveal, (training, nonceOf(training, account))));
        if (choice == 6) _claim(training, account);
        _follow();
    }

    /// Of a training that is over, if the seed comes upon one: an owner gets what it was told, once, and nobody else.
    function claim(uint256 seed) external {
        uint256 training = between(seed, 0, trainings);
        _claim(training, accounts()[(seed >> 8) % (OWNERS + 4)]);
    }

    function withdraw(uint256 seed) external {
        address[] memory all = accounts();
        address account = all[seed % all.length];
        address what = token(between(seed >> 160, 0, 2));
        uint256 credit = market.creditOf(what, account);
        uint256 before = held(what, account);
        bool paid = _try(account, abi.encodeCall(IMarketplace.withdraw, (what, address(0))));
        if (what == address(moody) && moody.mood() != MoodyToken.Mood.Honest) {
            vm.assertEq(market.creditOf(what, account), paid ? 0 : credit, "paid, or the credit stays");
            return;
        }
        vm.assertTrue(paid == (credit > 0), "whoever has credit can withdraw it");
        vm.assertEq(held(what, account) - before, credit, "all of it");
        if (paid) ++withdrawals;
    }

    function turnToken(uint256 seed) external {
        moody.set(seed % 2 == 0 ? MoodyToken.Mood.Honest : MoodyToken.Mood(between(seed >> 8, 1, 6)));
    }

    function waitFor(uint256 seed) external {
        vm.warp(vm.getBlockTimestamp() + between(seed, 0, 700));
        vm.roll(vm.getBlockNumber() + between(seed >> 16, 0, 40) * (seed >> 32 & 7 == 0 ? 10 : 1));
    }

    function force(uint256 seed) external {
        uint256 amount = between(seed, 1, 1 ether);
        address what = token(between(seed >> 160, 0, 2));
        forced[what] += amount;
        if (what == NATIVE) vm.deal(address(market), address(market).balance + amount);
        else MoodyToken(what).mint(address(market), amount);
    }

    /// A stranger ends whatever is not over, once time has passed; then everybody takes its credit out.
    function endEverything() external {
        vm.warp(vm.getBlockTimestamp() + 10_000);
        for (uint256 training = 1; training <= trainings; ++training) {
            bytes memory cancel = abi.encodeCall(IMarketplace.cancel, (training));
            if (!_try(stranger, abi.encodeCall(IMarketplace.settle, (training))) && !_try(stranger, cancel)) {
                // Enough owners joined and nobody closed: closing is what anyone can do then.
                _close(training, stranger);
                vm.warp(vm.getBlockTimestamp() + 10_000);
                _try(stranger, cancel);
            }
        }
        _follow();
        moody.set(MoodyToken.Mood.Honest);
        vm.warp(vm.getBlockTimestamp() + 10_000);
        address[] memory all = accounts();
        for (uint256 i = 0; i < all.length * trainings; ++i) {
            _release(i / all.length + 1, all[i % all.length]);
            _claim(i / all.length + 1, all[i % all.length]);
        }
        for (uint256 i = 0; i < 3 * all.length; ++i) {
            _try(all[i / 3], abi.encodeCall(IMarketplace.withdraw, (token(i % 3), address(0))));
        }
    }

    // ---- pieces ----

    function _claim(uint256 training, address account) private {
        uint256 amount = market.claimableOf(training, account);
        uint256 before = market.creditOf(tokenOf[training], account);
        bool claimed = _try(account, abi.encodeCall(IMarketplace.claim, (training)));
        vm.assertTrue(claimed == (amount > 0), "whoever is owed something can claim it");
        vm.assertEq(market.creditOf(tokenOf[training], account) - before, amount, "all of it");
        vm.assertEq(market.claimableOf(training, account), 0, "once");
        if (claimed) ++claims;
    }

    function _fill(uint256 training, uint256 seed) private {
        for (uint256 seat = 0; seat < between(seed, 2, OWNERS); ++seat) {
            _join(training, owner(seat), 0);
        }
        _close(training, aggregator);
    }

    /// Mostly everybody reveals, sometimes only some of them or, for once, nobody.
    function _reveal(uint256 training, uint256 seed) private {
        (address[] memory seats,,) = market.ownersOf(training);
        uint256 silent = seed % 4 == 0 ? (seed >> 8) & (seed >> 24) : 0;
        for (uint256 seat = 0; seat < seats.length; ++seat) {
            if ((silent >> seat) & 1 == 1) continue;
            _try(seats[seat], abi.encodeCall(IMarketplace.reveal, (training, nonceOf(training, seats[seat]))));
        }
    }

    function _record(uint256 training, uint256 seed) private {
        (, uint256 trainers, uint256 validators) = market.ownersOf(training);
        (,,, uint16 done,, uint256 lastMse) = market.progressOf(training);
        (,, IMarketplace.Terms memory terms) = market.termsOf(training);
        if (seed % 3 == 0) trainers = lowest(trainers, between(seed, 2, bits(trainers)));
        if (seed % 5 == 0) validators = lowest(validators, between(seed, bits(validators) / 2 + 1, bits(validators)));
        bool last = done + 1 == terms.rounds || seed % 11 == 0;
        IMarketplace.RoundRecord memory record = recordOf(training, 0, last, trainers, validators);
        record.round = done + 1;
        record.mseBefore = done == 0 ? 100e18 : seed % 7 == 0 ? between(seed, 0, 300e18) : lastMse;
        for (uint256 i = 0; i < record.own.length; ++i) {
            record.own[i] = uint256(keccak256(abi.encode(seed, i))) % 120e18;
            record.cross[i] = int256(uint256(keccak256(abi.encode(i, seed))) % (220e18 * record.own.length)) - 20e18;
        }
        if (done > 0 && seed % 3 == 1) record.deliveredDigest = keccak256(abi.encode("model", uint16(1)));
        bytes memory signature = buyerSignature(record);
        if (_try(aggregator, abi.encodeCall(IMarketplace.recordRound, (record, signature, _signatures(record))))) {
            ++rounds;
        }
    }

    /// Here owners take their seats in any order.
    function _signatures(IMarketplace.RoundRecord memory record) private view returns (bytes[] memory signatures) {
        bytes32 digest = market.hashRecord(record);
        (address[] memory seats,,) = market.ownersOf(record.trainingId);
        signatures = new bytes[](bits(record.validators));
        uint256 index;
        for (uint256 seat = 0; seat < seats.length; ++seat) {
            if ((record.validators >> seat) & 1 == 1) signatures[index++] = signed(_keys[seats[seat]], digest);
        }
    }

    function _follow() private {
        for (uint256 training = 1; training <= trainings; ++training) {
            IMarketplace.Status status = market.statusOf(training);
            IMarketplace.Status before = _last[training];
            if (status == before) continue;
            vm.assertTrue(_allowed(before, status), "a status moved along no allowed edge");
            ++reached[uint256(status)];
            if (before == IMarketplace.Status.Drawing) _countUnrevealed(training);
            _last[training] = status;
        }
    }

    function _allowed(IMarketplace.Status from, IMarketplace.Status to) private pure returns (bool) {
        if (to == IMarketplace.Status.Open) return from == IMarketplace.Status.None;
        if (to == IMarketplace.Status.Drawing) return from == IMarketplace.Status.Open;
        if (to == IMarketplace.Status.Running) return from == IMarketplace.Status.Drawing;
        if (to == IMarketplace.Status.Settled) return from == IMarketplace.Status.Running;
        return to == IMarketplace.Status.Cancelled && from != IMarketplace.Status.None
            && from != IMarketplace.Status.Settled;
    }
}
