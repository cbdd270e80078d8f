"""Where tensors are computed."""

import pytest
import torch
from fading.artefacts.devices import check, compute_on, computed_on
from fading.errors import FadingError


def test_unknown_devices_are_refused():
    check("auto")
    with pytest.raises(FadingError, match=r"device: found tpu; accepted are cpu, cuda, auto\."):
        check("tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(FadingError, match="device: found cuda, but torch sees no GPU here"):
        compute_on("cuda")


def test_lineage_names_the_processors_instructions():
    assert computed_on() == f"cpu {torch.backends.cpu.get_cpu_capability()}"
