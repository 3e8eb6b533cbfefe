"""Logs, metrics, traces, heartbeats, health."""
