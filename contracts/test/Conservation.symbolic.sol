// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {MarketplaceTest} from "./support/MarketplaceTest.sol";

/// For all amounts, not for those that a fuzzer finds: run by python contracts/symbolic.py.
contract MarketSymbolicTest is MarketplaceTest {
    /// Halmos has no deployCode.
    function setUp() public override {
        bytes memory code = vm.getCode("Marketplace.sol:Marketplace");
        address deployed;
        assembly {
            deployed := create(0, add(code, 0x20), mload(code))
        }
        market = IMarketplace(deployed);
        vm.warp(1_000_000);
        register(buyer, IMarketplace.Role.ModelBuyer);
        register(aggregator, IMarketplace.Role.FederatedAggregator);
    }

    function check_CancelCreditsTheWholeDeposit(uint128 deposit) external {
        uint256 training = opened(deposit);
        vm.prank(buyer);
        market.cancel(training);
        assert(market.creditOf(NATIVE, buyer) == deposit);
        assert(market.totalEscrow(NATIVE) == 0);
        assert(address(market).balance == deposit);
    }

    function check_WithdrawReducesCreditAndBalanceAlike(uint128 deposit, uint128 later) external {
        uint256 first = opened(deposit);
        opened(later);
        vm.prank(buyer);
        market.cancel(first);
        vm.prank(buyer);
        uint256 amount = market.withdraw(NATIVE, address(0));
        assert(amount == deposit);
        assert(market.creditOf(NATIVE, buyer) == 0);
        assert(address(market).balance == later);
        assert(market.totalEscrow(NATIVE) == later);
    }

    function check_NobodyElseWithdraws(uint128 deposit, address account, address to) external {
        vm.assume(account != buyer);
        uint256 training = opened(deposit);
        vm.prank(buyer);
        market.cancel(training);
        vm.prank(account);
        (bool paid,) = address(market).call(abi.encodeCall(market.withdraw, (NATIVE, to)));
        assert(!paid);
        assert(market.creditOf(NATIVE, buyer) == deposit);
        assert(address(market).balance == deposit);
    }

    function opened(uint256 deposit) private returns (uint256) {
        vm.assume(deposit >= 10_000 * 4 * 256);
        vm.deal(buyer, deposit);
        vm.prank(buyer);
        return market.open{value: deposit}(defaultTerms(), deposit);
    }
}
