"""What answers on a port may be anything: whoever asks there is told, and goes on."""

import socket
import threading

import pytest

from services.admin.daemon_health import NoAnswer, ask_health
from services.admin.market_process import members
from services.admin.market_servers import OwnServers, server_processes


@pytest.fixture
def port():
    """Where something listens that speaks no HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_answer_once, args=(server,))
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def _answer_once(server):
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"220 mail.example ESMTP\r\n")


def test_another_s_server_on_the_daemon_s_port_is_no_answer(market_folder, port):
    config = members(market_folder)[0].config.model_copy(update={"metrics_port": port})
    with pytest.raises(NoAnswer, match="no daemon answers"):
        ask_health(config)


def test_another_s_server_on_the_chain_s_port_is_not_the_chain(tmp_path, port):
    (chain,) = server_processes(tmp_path, OwnServers(chain_port=port))
    assert chain.probe().state == "starting"
