"""The three roles as pure state machines; `dispatch.run_step` is the only way in."""
