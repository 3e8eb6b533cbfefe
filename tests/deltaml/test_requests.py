"""Requests as documents in Python."""

import pytest
import yaml

from deltaml.requests import request_of
from protocol.errors import MisuseError
from tests.support.deployment.documents import any_request, request_content


def test_a_request_is_taken_as_it_is_as_a_document_or_a_path(tmp_path):
    request = any_request()
    assert request_of(request) is request
    assert request_of(request_content()) == request
    path = tmp_path / "request.yaml"
    path.write_text(yaml.safe_dump(request_content()))
    assert request_of(path) == request_of(str(path)) == request


def test_a_deposit_may_be_written_with_its_unit():
    assert request_of(request_content(payment={"deposit": "0.1 ETH"})).payment.deposit_wei == 10**17
    with pytest.raises(MisuseError, match="has no unit"):
        request_of(request_content(payment={"deposit": 1}))
