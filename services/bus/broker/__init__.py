"""Provisioning a RabbitMQ broker, and comparing it with the plan."""
