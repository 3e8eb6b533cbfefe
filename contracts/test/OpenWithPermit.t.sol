// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {TestToken} from "../src/TestToken.sol";
import {MarketplaceTest} from "./support/MarketplaceTest.sol";

contract OpenWithPermitTest is MarketplaceTest {
    bytes32 private constant PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    TestToken private token;
    uint8 private v;
    bytes32 private r;
    bytes32 private s;

    function setUp() public override {
        super.setUp();
        token = new TestToken();
        token.mint(buyer, 2 * DEPOSIT);
        sign(BUYER_KEY);
    }

    function test_RevertWhen_ThePermitIsForTheNativeCoin() external {
        refuse(NATIVE, abi.encodeWithSelector(IMarketplace.Marketplace_InvalidTerms.selector, bytes32("token")));
    }

    function test_RevertWhen_ThePermitIsOver() external {
        vm.warp(block.timestamp + 1);
        refuse(address(token), transferFailed(buyer));
    }

    function test_RevertWhen_SomebodyElseSignedThePermit() external {
        sign(0xa9);
        refuse(address(token), transferFailed(buyer));
    }

    function test_RevertWhen_ATokenWithoutPermitsIsNotAllowed() external {
        moody.mint(buyer, DEPOSIT);
        refuse(address(moody), transferFailed(buyer));
    }

    function test_WhenThePermitIsGood() external {
        openBy(address(token));
        vm.assertEq(token.balanceOf(buyer), DEPOSIT, "one deposit is paid");
        vm.assertEq(token.allowance(buyer, address(market)), 0, "nothing is left allowed");
        vm.assertEq(market.totalEscrow(address(token)), DEPOSIT, "escrow");
    }

    /// The attack: the permit is copied out of the pool and used, so that the buyer's own use of it reverts.
    function test_WhenSomebodySentThePermitAhead() external {
        vm.prank(stranger);
        token.permit(buyer, address(market), DEPOSIT, block.timestamp, v, r, s);
        openBy(address(token));
        vm.assertEq(market.totalEscrow(address(token)), DEPOSIT, "escrow");
    }

    function test_WhenATokenWithoutPermitsIsAllowed() external {
        moody.mint(buyer, DEPOSIT);
        vm.prank(buyer);
        moody.approve(address(market), DEPOSIT);
        openBy(address(moody));
        assertBooks(DEPOSIT, 0);
    }

    // ---- pieces ----

    function sign(uint256 key) private {
        bytes32 permit =
            keccak256(abi.encode(PERMIT, buyer, address(market), DEPOSIT, token.nonces(buyer), block.timestamp));
        (v, r, s) = vm.sign(key, keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), permit)));
    }

    function openBy(address paid) private {
        IMarketplace.Terms memory terms = termsIn(paid);
        vm.prank(buyer);
        market.openWithPermit(terms, DEPOSIT, block.timestamp, v, r, s);
    }

    function refuse(address paid, bytes memory refusal) private {
        IMarketplace.Terms memory terms = termsIn(paid);
        vm.prank(buyer);
        vm.expectRevert(refusal);
        market.openWithPermit(terms, DEPOSIT, 1_000_000, v, r, s);
    }
}
