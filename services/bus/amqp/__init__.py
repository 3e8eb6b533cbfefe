"""The bus over RabbitMQ."""
