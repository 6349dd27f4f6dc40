"""PyTorch on two threads of the processor, or on a GPU of NVIDIA: the step and the convolution trio; the protocol is that of serve.mjs.

    torch_worker.py cpu
    torch_worker.py cuda f32|tf32|amp      float32 without TF32, with it, or float16 where autocast chooses it, with a scaled loss
"""

import json
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "2")
import torch
import torch.nn as nn
import torch.nn.functional as F

DEVICE, HOW = (sys.argv[1:] + ["f32"])[:2]
ON_GPU = DEVICE == "cuda"
if ON_GPU and not torch.cuda.is_available():
    sys.exit("PyTorch finds no CUDA device.")
torch.set_num_threads(2)
torch.manual_seed(0)
torch.set_default_tensor_type(torch.cuda.FloatTensor if ON_GPU else torch.FloatTensor)
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = HOW != "f32"
torch.backends.cudnn.benchmark = True
SIZE = json.loads(os.environ.get("MTUNET_BENCH_STEP", '{"base": 8, "batch": 6, "height": 160, "width": 112}'))
BASE, BATCH, HEIGHT, WIDTH = (SIZE[name] for name in ("base", "batch", "height", "width"))


def layer(inputs, outputs):
    return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def block(inputs, outputs):
    return nn.Sequential(*layer(inputs, outputs), *layer(outputs, outputs))


class UNet(nn.Module):
    def __init__(self, base):
        super().__init__()
        widths = [base * 2**level for level in range(5)]
        self.down = nn.ModuleList(block(widths[k - 1] if k else 1, widths[k]) for k in range(5))
        self.up = nn.ModuleList(
            nn.Sequential(nn.Upsample(scale_factor=2), *layer(widths[k + 1], widths[k])) for k in range(4)
        )
        self.join = nn.ModuleList(block(widths[k + 1], widths[k]) for k in range(4))
        self.head = nn.Sequential(*layer(base, base), nn.Conv2d(base, 1, 1))

    def forward(self, x):
        skips = []
        for level, down in enumerate(self.down):
            x = down(F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        for level in (3, 2, 1, 0):
            x = self.join[level](torch.cat((skips[level], self.up[level](x)), 1))
        return self.head(x)


net = UNet(BASE)
adam = torch.optim.Adam(net.parameters(), lr=1e-3)
scaler = torch.cuda.amp.GradScaler(enabled=HOW == "amp")
image = torch.rand(BATCH, 1, HEIGHT, WIDTH)
gaze = torch.rand(BATCH, HEIGHT * WIDTH)
gaze /= gaze.sum(1, keepdim=True)
trio = torch.rand(4, 32, 104, 160), torch.rand(32, 32, 3, 3), torch.rand(4, 32, 104, 160)
x, w, dy = (tensor.half() if HOW == "amp" else tensor for tensor in trio)


def step():
    adam.zero_grad(set_to_none=True)
    with torch.autocast("cuda", torch.float16, enabled=HOW == "amp"):
        logits = net(image)
    loss = F.kl_div(F.log_softmax(logits.float().flatten(1), 1), gaze, reduction="batchmean")
    scaler.scale(loss).backward()
    scaler.step(adam)
    scaler.update()
    assert torch.isfinite(loss), f"the loss is {loss.item()}"


def backward(which):
    options = ([32], [1, 1], [1, 1], [1, 1], False, [0, 0], 1)
    return lambda: torch.ops.aten.convolution_backward(dy, x, w, *options, [which == "dx", which == "dw", False])


tasks = {"step": step, "fwd": lambda: F.conv2d(x, w, padding=1), "dx": backward("dx"), "dw": backward("dw")}
name = torch.cuda.get_device_name(0) if ON_GPU else "2 processor threads"
ready = f"PyTorch {torch.__version__}" + (f" {HOW}" if ON_GPU else "")
print(json.dumps({"ready": ready, "adapter": name, "backend": DEVICE, "parts": list(tasks)}), flush=True)
for line in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    tasks[line.strip()]()
    if ON_GPU:
        torch.cuda.synchronize()
    times = {"ms": 1e3 * (time.perf_counter() - wall), "cpu": 1e3 * (time.process_time() - cpu)}
    if ON_GPU:
        times["bytes"] = torch.cuda.max_memory_allocated()
    print(json.dumps(times), flush=True)
