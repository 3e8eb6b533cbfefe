"""The engine under every role: inputs, effects, context, and the machine that steps."""
