"""Checkpoints as people save them, for test/engine/torch-checkpoints.node.test.ts: tiny tensors, and beside them what training scripts keep.

    apt-get install python3-torch python3-numpy      # Debian 12: PyTorch 1.13.0, NumPy 1.24.2
    /usr/bin/python3 test/golden/checkpoints/make.py test/golden/checkpoints

expected.json: for each file the key under which the state_dict lies and its values, or a pattern of the refusal.
"""
import argparse, collections, datetime, decimal, fractions, functools, json, os, pathlib, sys, types, uuid
import numpy as np
import torch

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
state = collections.OrderedDict(
    [("conv.weight", torch.arange(6.0).reshape(1, 2, 3, 1)), ("conv.bias", torch.tensor([0.5])), ("bn.num_batches_tracked", torch.tensor(7))]
)
half = collections.OrderedDict((name, value.double() / 2) for name, value in state.items())
expected = {}


def save(name, value, key=None, of=state, refuse=None, **options):
    torch.save(value, f"{out}/{name}", **options)
    if refuse:
        expected[name] = {"refuse": refuse}
    else:
        expected[name] = {"key": key, "tensors": {k: v.flatten().tolist() for k, v in of.items()}}


inert = {
    "counter": collections.Counter("abca"),
    "defaultdict": collections.defaultdict(list, {"a": [1]}),
    "deque": collections.deque([1, 2], maxlen=3),
    "set": {1, 2},
    "frozenset": frozenset([1]),
    "slice": slice(1, 2),
    "range": range(3),
    "complex": 1 + 2j,
    "bytes": b"ab",
    "bytearray": bytearray(b"x"),
    "namespace": argparse.Namespace(a=1, path=pathlib.PurePosixPath("a")),
    "simple": types.SimpleNamespace(a=1),
    "device": torch.device("cuda:0"),
    "dtype": torch.float32,
    "size": torch.Size([1, 2]),
    "numpy scalars": [np.float64(0.5), np.float32(0.25), np.int64(3), np.bool_(True), np.datetime64("2020-01-01")],
    "numpy arrays": [np.arange(6.0).reshape(2, 3).T, np.arange(3, dtype=">f4"), np.array(["a", "bc"]), np.dtype("float32")],
    "numpy random": np.random.RandomState(1).get_state(),
    "dates": [datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc), datetime.date(2020, 1, 2), datetime.timedelta(1)],
    "decimal": decimal.Decimal("1.5"),
    "fraction": fractions.Fraction(1, 2),
    "uuid": uuid.UUID(int=3),
    "paths": [pathlib.PosixPath("/a"), pathlib.PureWindowsPath("C:/a")],
    "large": [2**70, -(2**40)],
    "ellipsis": ...,
}
for protocol in (2, 3, 4, 5):
    save(f"inert-{protocol}.pt", {"state_dict": state, **inert}, "state_dict", pickle_protocol=protocol)
save("inert-legacy.pt", {"state_dict": state, **inert}, "state_dict", _use_new_zipfile_serialization=False)
save("protocol-1.pt", {"state_dict": state, "lr": 0.1, "epoch": 3, "done": True, "big": 2**70, "name": "a"}, "state_dict", pickle_protocol=1)

save("tensor-beside.pt", {"epoch": 3, "best_acc1": torch.tensor(76.1), "state_dict": state}, "state_dict")
save("nested.pt", {"checkpoint": {"model": state, "epoch": 1}, "loss": torch.zeros(2)}, "checkpoint.model")
save("list.pt", [{"epoch": 1}, state], "1")
save("ema.pt", {"model_ema": half, "model": state}, "model")
save("defaultdict.pt", {"net": collections.defaultdict(int, state)}, "net")
save("two.pt", {"generator": state, "discriminator": half}, refuse='2 dicts of tensors \\("generator", "discriminator"\\)')
parameter = torch.nn.Parameter(torch.arange(6.0).reshape(1, 2, 3, 1))
parameter.note = "attributes make another pickle"
save("attributes.pt", {**state, "conv.weight": parameter}, "")

save("only-tensor.pt", torch.zeros(3), refuse="single tensor")
save("no-tensor.pt", {"epoch": 1}, refuse="no dict of tensors")
save("partial.pt", {"state_dict": state, "make": functools.partial(print, 1)}, refuse="functools\\.partial")
save("function.pt", {"state_dict": state, "join": os.path.join}, refuse="posixpath\\.join")
save("module.pt", torch.nn.Conv2d(1, 1, 1), refuse="torch\\.nn\\.modules\\.conv\\.Conv2d")
save("sparse.pt", {"weight": torch.eye(2).to_sparse()}, refuse="sparse tensor")
save("complex.pt", {"weight": torch.zeros(2, dtype=torch.complex64)}, refuse="complex tensor")
save("quantized.pt", {"weight": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)}, refuse="quantized tensor")
torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), f"{out}/script.pt")
expected["script.pt"] = {"refuse": "TorchScript"}
np.savez(f"{out}/arrays.npz", a=np.zeros(2))
expected["arrays.npz"] = {"refuse": "NumPy"}
with open(f"{out}/expected.json", "w") as file:
    json.dump(expected, file, indent=1, sort_keys=True)
    file.write("\n")
