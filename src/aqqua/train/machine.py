"""On what a model was trained: noted by the run, told by the model's card."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

__all__ = ["hardware", "processor", "software"]


def hardware(device: str) -> dict[str, Any]:
    """The machine of this process, as far as the system tells it.

    Args:
        device: where the network is: "cpu", "cuda" …
    """
    import torch

    told = {
        "device": device,
        "processor": processor(),
        "architecture": platform.machine(),
        "threads": torch.get_num_threads(),
    }
    if device.startswith("cuda"):
        told["accelerator"] = torch.cuda.get_device_name(device)
    return told


def software() -> dict[str, str]:
    """Versions of what the weights depend on, besides aqqua."""
    import torch

    return {"python": platform.python_version(), "torch": str(torch.__version__)}


def processor() -> str:
    """Name of the processor, where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
