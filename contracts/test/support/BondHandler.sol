// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../../src/IMarketplace.sol";
import {TestToken} from "../../src/TestToken.sol";
import {MoodyToken} from "./MoodyToken.sol";
import {OpeningTest} from "./OpeningTest.sol";

/// Rich parties that give bonds, ask for them back, and hold true and false things against each other.
abstract contract BondHandler is OpeningTest {
    uint256 internal constant OWNERS = 12;

    uint256 public trainings;
    mapping(uint256 => address) public tokenOf; // by training, as it was opened
    mapping(uint256 => uint256) public depositOf; // by training
    TestToken public good = new TestToken();
    uint256 public releases;
    mapping(address => uint256) public bonded; // by token: given, and neither lost nor home
    uint256[4] public faults; // how often a bond was lost for each
    mapping(address => uint256) internal _keys;
    address[] private _accounts; // to work a key's address out takes longer than most calls

    constructor() {
        setUp();
        for (uint256 seat = 0; seat < OWNERS; ++seat) {
            register(owner(seat), IMarketplace.Role.DataOwner);
            _keys[owner(seat)] = ownerKey(seat);
        }
        (_keys[buyer], _keys[aggregator]) = (BUYER_KEY, AGGREGATOR_KEY);
        _accounts = [buyer, aggregator, stranger, charity];
        for (uint256 seat = 0; seat < OWNERS; ++seat) _accounts.push(owner(seat));
        for (uint256 i = 0; i < 3 * _accounts.length; ++i) _enrich(token(i % 3), _accounts[i / 3]);
    }

    function _enrich(address what, address account) private {
        if (what == NATIVE) {
            vm.deal(account, 1000 ether);
            return;
        }
        MoodyToken(what).mint(account, 1000 ether);
        vm.prank(account);
        MoodyToken(what).approve(address(market), type(uint256).max);
    }

    /// Ether, and two others.
    function token(uint256 index) public view returns (address) {
        return index == 0 ? NATIVE : index == 1 ? address(good) : address(moody);
    }

    function held(address what, address account) public view returns (uint256) {
        return what == NATIVE ? account.balance : MoodyToken(what).balanceOf(account);
    }

    function deployed() external view returns (IMarketplace) {
        return market;
    }

    function accounts() public view returns (address[] memory) {
        return _accounts;
    }

    // ---- actions ----

    /// An account has back what it gave if it may, and nobody has anything else.
    function release(uint256 seed) external {
        address[] memory all = accounts();
        _release(between(seed, 0, trainings), all[(seed >> 8) % all.length]);
    }

    /// Of two records: both signed by whom they are held against, or one by another.
    function accuse(uint256 seed) external {
        if (trainings == 0) return;
        uint256 training = _drawn(between(seed, 1, trainings));
        address[] memory all = accounts();
        address account = seed >> 32 & 1 == 1 ? all[(seed >> 40) % 2] : all[(seed >> 40) % all.length];
        if (_keys[account] == 0) return;
        (, uint256 trainers, uint256 validators) = market.ownersOf(training);
        IMarketplace.RoundRecord memory first = recordOf(training, 1, false, trainers, validators);
        IMarketplace.RoundRecord memory second = recordOf(training, 1, seed >> 16 & 3 > 0, trainers, validators);
        bytes memory own = signed(_keys[account], market.hashRecord(first));
        bool both = seed >> 18 & 3 > 0;
        bytes memory other = signed(both ? _keys[account] : 0xbad, market.hashRecord(second));
        bool fault = both && second.last && trainers > 0;
        bytes memory data =
            abi.encodeCall(IMarketplace.accuseOfTwoRecords, (first, own, second, other, account));
        _expectFault(training, account, IMarketplace.Fault.TwoRecords, data, fault);
    }

    /// Of an opening, true or false, in one call or in two.
    function doubt(uint256 seed) external {
        if (trainings == 0) return;
        IMarketplace.Opening memory opening = trueOpening(between(seed, 1, trainings), seed >> 8, 1);
        bool isFalse = seed >> 8 & 1 == 1;
        if (isFalse) spoil(opening.plaintext);
        bytes memory signature = openingSignature(opening);
        bytes32 digest = market.hashOpening(opening);
        if (seed >> 9 & 1 == 1) {
            _try(stranger, abi.encodeCall(IMarketplace.accuseOfFalseOpening, (opening, signature, "", 1)));
        }
        (uint256 done,) = market.doubtOf(digest);
        bytes memory power = done == 0 ? bytes("") : powerAfter(opening, done);
        bytes memory data = abi.encodeCall(IMarketplace.accuseOfFalseOpening, (opening, signature, power, 2));
        _expectFault(opening.trainingId, buyer, IMarketplace.Fault.FalseOpening, data, isFalse);
    }

    // ---- pieces ----

    function _join(uint256 training, address account, uint256 seed) internal {
        (,, IMarketplace.Terms memory terms) = market.termsOf(training);
        uint256 value = terms.token == NATIVE ? terms.ownerBond : 0;
        if (_send(account, value, _joining(training, account, seed))) bonded[terms.token] += terms.ownerBond;
    }

    function _close(uint256 training, address account) internal {
        (,, IMarketplace.Terms memory terms) = market.termsOf(training);
        uint256 value = terms.token == NATIVE ? terms.aggregatorBond : 0;
        if (_send(account, value, abi.encodeCall(IMarketplace.close, (training)))) {
            bonded[terms.token] += terms.aggregatorBond;
        }
    }

    /// Now and then with what was signed for the training before.
    function _joining(uint256 training, address account, uint256 seed) internal view returns (bytes memory) {
        uint256 admittedTo = seed % 4 == 3 && training > 0 ? training - 1 : training;
        (bytes memory byAggregator, bytes memory byBuyer) = admissions(admittedTo, account);
        bytes32 digest = nonceDigest(training, account);
        return abi.encodeCall(IMarketplace.join, (training, commitmentOf(account), digest, byAggregator, byBuyer));
    }

    function _release(uint256 training, address account) internal {
        address what = tokenOf[training];
        uint256 bond = market.bondOf(training, account);
        uint64 until = market.bondUntil(training, account);
        uint256 before = market.creditOf(what, account);
        bool released = _try(account, abi.encodeCall(IMarketplace.releaseBond, (training)));
        bool due = bond > 0 && until > 0 && vm.getBlockTimestamp() >= until;
        vm.assertTrue(released == due, "whoever has a bond has it back in time, and nobody else");
        vm.assertEq(market.creditOf(what, account) - before, released ? bond : 0, "all of it");
        if (!released) return;
        ++releases;
        bonded[what] -= bond;
    }

    /// A bond is lost exactly where it is there and the fault was committed.
    function _expectFault(
        uint256 training,
        address account,
        IMarketplace.Fault fault,
        bytes memory data,
        bool committed
    ) internal {
        address what = tokenOf[training];
        uint256 bond = market.bondOf(training, account);
        uint256 before = market.creditOf(what, charity);
        bool lost = _try(stranger, data);
        vm.assertTrue(lost == (committed && bond > 0), "for a fault, and for nothing else");
        vm.assertEq(market.creditOf(what, charity) - before, lost ? bond : 0, "to whom the terms say");
        if (!lost) return;
        ++faults[uint256(fault)];
        bonded[what] -= bond;
    }

    /// With the draw, or where it comes to none: those who were silent while others revealed.
    function _countUnrevealed(uint256 training) internal {
        (,, IMarketplace.Terms memory terms) = market.termsOf(training);
        (address[] memory seats,,) = market.ownersOf(training);
        (,, uint256 mask) = market.drawOf(training);
        if (mask == 0 || terms.ownerBond == 0) return;
        uint256 silent = seats.length - bits(mask);
        faults[uint256(IMarketplace.Fault.NoReveal)] += silent;
        bonded[terms.token] -= silent * terms.ownerBond;
    }

    /// The training, or the next one after it of which the roles are drawn.
    function _drawn(uint256 training) internal view returns (uint256) {
        for (uint256 i = 0; i < trainings; ++i) {
            uint256 candidate = (training - 1 + i) % trainings + 1;
            (, uint256 trainers,) = market.ownersOf(candidate);
            if (trainers > 0) return candidate;
        }
        return training;
    }

    function _try(address account, bytes memory data) internal returns (bool) {
        return _send(account, 0, data);
    }

    function _send(address account, uint256 value, bytes memory data) internal returns (bool succeeded) {
        vm.prank(account);
        (succeeded,) = address(market).call{value: value}(data);
    }
}
