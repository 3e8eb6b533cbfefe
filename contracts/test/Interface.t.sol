// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IMarketplace} from "../src/IMarketplace.sol";
import {MarketplaceTest} from "./support/MarketplaceTest.sol";

contract InterfaceTest is MarketplaceTest {
    function test_WhenAClientAsksWhatThisIs() external view {
        vm.assertTrue(market.supportsInterface(type(IMarketplace).interfaceId), "this market");
        vm.assertTrue(market.supportsInterface(type(IERC165).interfaceId), "interface ids");
        vm.assertTrue(!market.supportsInterface(0xffffffff), "never this one");
        vm.assertTrue(!market.supportsInterface(0x01ffc9a8), "no other");
    }

    function test_WhenAClientAsksForTheVersion() external view {
        vm.assertEq(keccak256(bytes(market.version())), keccak256("2"), "version");
    }
}
