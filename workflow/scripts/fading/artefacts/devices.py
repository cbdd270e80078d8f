"""Where tensors are computed, cpu or cuda: a matter of running, not of science. Nothing else knows of devices."""

import os
import sys

from fading.errors import FadingError

DEVICES = ("cpu", "cuda", "auto")


def check(device: str) -> None:
    """Raise FadingError for a device that is none of DEVICES."""
    if device not in DEVICES:
        raise FadingError(f"device: found {device}; accepted are {', '.join(DEVICES)}.")


def compute_on(device: str) -> None:
    """Make `device` the default of all tensors that torch creates, if torch is in use, with deterministic kernels.

    auto is cuda where there is a GPU. No TF32, so that float32 means float32 everywhere. Raises FadingError where cuda
    is asked for and there is none.
    """
    torch = sys.modules.get("torch")
    if not torch:
        return
    torch.set_deterministic_debug_mode("error")  # use_deterministic_algorithms imports the compiler: seconds
    torch.utils.deterministic.fill_uninitialized_memory = False  # with NaN, which costs a tenth; nothing reads it
    if device == "cpu" or (device == "auto" and not torch.cuda.is_available()):
        return
    if not torch.cuda.is_available():
        raise FadingError(f"device: found {device}, but torch sees no GPU here; accepted are cpu and auto.")
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # without it products of matrices differ from run to run
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.set_default_device("cuda")


def computed_on() -> str:
    """The default device by its model, as lineage records it: kernels differ in their rounding."""
    torch = sys.modules.get("torch")
    if not torch:
        return "cpu"
    if torch.get_default_device().type == "cuda":
        return f"cuda {torch.cuda.get_device_name()}"
    return f"cpu {torch.backends.cpu.get_cpu_capability()}"
