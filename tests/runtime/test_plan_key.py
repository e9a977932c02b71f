"""The key under which a device stores plans: written as before, or every plan would be built again."""

import hashlib
import json

from edgewright_runtime.finished import plan_folder
from edgewright_runtime.plan_key import KernelKey, PlanKey
from edgewright_targets.gpu import Gpu
from edgewright_targets.recipe import Recipe

KEY = PlanKey(
    files={"engines/gpu-later/model.onnx": "0" * 64},
    shapes='{"pixels":[[1,8],[1,8],[2,8]]}',
    precision="fp16",
    recipe=Recipe(method="cast", float_type="float16"),
    kernels=KernelKey(
        flavour="tensorrt",
        version="10.13.0",
        gpu=Gpu("RTX 4090", "8.9", 24 * 2**30, "580.95 cuda 13000"),
        architecture="x86_64",
    ),
)


def test_a_plan_is_found_where_it_was_stored_before() -> None:
    """A new field of Recipe is a new digest, and one rebuild on each device: then this digest is another."""
    assert plan_folder(KEY).name == "7d78ff4cb39a4a932c0372ef527fd2ff9ac7a9110f35fc7dcba41b28a286da1c"


def test_times_of_kernels_are_found_where_they_were_stored_before() -> None:
    text = json.dumps(KEY.kernels.written(), sort_keys=True, separators=(",", ":"))
    found = hashlib.sha256(text.encode()).hexdigest()
    assert found == "5f8ab230c0d04a42054ae6c96a1c292eb2cf05b279829dd32b0a57bebb15b215"
