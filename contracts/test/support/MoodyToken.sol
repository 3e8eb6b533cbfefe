// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

interface Hook {
    function onTransfer() external;
}

/// A token that keeps its books as ERC-20 says, or misbehaves in the way that it was told.
contract MoodyToken {
    enum Mood {
        Honest,
        ReturnsNothing, // as USDT does
        ReturnsFalse,
        Reverts,
        TakesFee, // the receiver gets a hundredth less
        TakesSurcharge, // the sender is charged a hundredth more
        Lies, // says that it moved the amount, and moves nothing
        CallsBack // before it moves anything, as ERC-777 does
    }

    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    mapping(address => bool) public refused;
    Mood public mood;
    Hook private _hook;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function set(Mood next) external {
        mood = next;
    }

    function callBack(Hook hook) external {
        (mood, _hook) = (Mood.CallsBack, hook);
    }

    function refuse(address account) external {
        refused[account] = true;
    }

    /// As a token that follows some index down.
    function halve(address account) external {
        balanceOf[account] /= 2;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _transfer(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        return _transfer(from, to, amount);
    }

    function _transfer(address from, address to, uint256 amount) private returns (bool) {
        require(mood != Mood.Reverts && !refused[to], "not now");
        if (mood == Mood.ReturnsFalse) return false;
        if (mood == Mood.Lies) return true;
        if (mood == Mood.CallsBack) _hook.onTransfer();
        uint256 hundredth = amount / 100;
        balanceOf[from] -= mood == Mood.TakesSurcharge ? amount + hundredth : amount;
        balanceOf[to] += mood == Mood.TakesFee ? amount - hundredth : amount;
        if (mood == Mood.ReturnsNothing) {
            assembly {
                return(0, 0)
            }
        }
        return true;
    }
}
