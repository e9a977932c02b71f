"""The little of CUDA that running a plan takes: a stream and buffers, by the driver's own library."""

from __future__ import annotations

import ctypes

from edgewright_targets.gpu import call

# CUstream_flags in cuda.h.
_STREAM_NON_BLOCKING = 1


class Stream:
    """A stream on the first GPU, with buffers that grow and are used again."""

    def __init__(self) -> None:
        device, context, stream = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_void_p()
        call("cuDeviceGet", ctypes.byref(device), 0)
        # The primary context is the one that TensorRT's CUDA runtime uses.
        call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self._device, self._context = device, context
        self._buffers: dict[str, tuple[int, int]] = {}
        self.use()
        call("cuStreamCreate", ctypes.byref(stream), _STREAM_NON_BLOCKING)
        self.handle = int(stream.value or 0)

    def use(self) -> None:
        """Make the context current in this thread."""
        call("cuCtxSetCurrent", self._context)

    def buffer(self, name: str, size: int) -> int:
        """The address of device memory of at least `size` bytes, kept under `name`."""
        address, capacity = self._buffers.get(name, (0, 0))
        if capacity < max(1, size):
            if address:
                call("cuMemFree_v2", ctypes.c_uint64(address))
                del self._buffers[name]
            made = ctypes.c_uint64()
            call("cuMemAlloc_v2", ctypes.byref(made), ctypes.c_size_t(max(1, size)))
            address = int(made.value)
            self._buffers[name] = (address, max(1, size))
        return address

    def upload(self, address: int, source: int, size: int) -> None:
        """Copy `size` bytes from host memory at `source` to the device."""
        call(
            "cuMemcpyHtoDAsync_v2",
            ctypes.c_uint64(address),
            ctypes.c_void_p(source),
            ctypes.c_size_t(size),
            ctypes.c_void_p(self.handle),
        )

    def download(self, target: int, address: int, size: int) -> None:
        """Copy `size` bytes from the device to host memory at `target`."""
        call(
            "cuMemcpyDtoHAsync_v2",
            ctypes.c_void_p(target),
            ctypes.c_uint64(address),
            ctypes.c_size_t(size),
            ctypes.c_void_p(self.handle),
        )

    def wait(self) -> None:
        """Wait until everything asked of the stream is done."""
        call("cuStreamSynchronize", ctypes.c_void_p(self.handle))

    def close(self) -> None:
        """Free the buffers, the stream and the hold on the context."""
        self.use()
        for address, _ in self._buffers.values():
            call("cuMemFree_v2", ctypes.c_uint64(address))
        self._buffers.clear()
        call("cuStreamDestroy_v2", ctypes.c_void_p(self.handle))
        call("cuDevicePrimaryCtxRelease_v2", self._device)
