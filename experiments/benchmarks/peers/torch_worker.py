"""PyTorch on two threads of the processor: the shared step and the convolution trio; the protocol is that of serve.mjs."""

import json
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "2")
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(2)
torch.manual_seed(0)
BASE, BATCH, HEIGHT, WIDTH = 8, 6, 160, 112


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
image = torch.rand(BATCH, 1, HEIGHT, WIDTH)
gaze = torch.rand(BATCH, HEIGHT * WIDTH)
gaze /= gaze.sum(1, keepdim=True)
x, w, dy = torch.rand(4, 32, 104, 160), torch.rand(32, 32, 3, 3), torch.rand(4, 32, 104, 160)


def step():
    adam.zero_grad(set_to_none=True)
    loss = F.kl_div(F.log_softmax(net(image).flatten(1), 1), gaze, reduction="batchmean")
    loss.backward()
    adam.step()
    assert torch.isfinite(loss), f"the loss is {loss.item()}"


def backward(which):
    options = ([32], [1, 1], [1, 1], [1, 1], False, [0, 0], 1)
    return lambda: torch.ops.aten.convolution_backward(dy, x, w, *options, [which == "dx", which == "dw", False])


tasks = {"step": step, "fwd": lambda: F.conv2d(x, w, padding=1), "dx": backward("dx"), "dw": backward("dw")}
print(json.dumps({"ready": f"PyTorch {torch.__version__}", "adapter": "2 processor threads", "parts": list(tasks)}), flush=True)
for line in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    tasks[line.strip()]()
    times = {"ms": 1e3 * (time.perf_counter() - wall), "cpu": 1e3 * (time.process_time() - cpu)}
    print(json.dumps(times), flush=True)
