"""Golden distances of LPIPS in PyTorch, which knows nothing of Headshot's code:  python lpips.py lpips.json"""
import json, math, sys
import torch, torch.nn.functional as F
from perceptual import fill

# The layers of torchvision's `features`: a convolution (out, side, stride, padding), a pooling (side), or a ReLU.
ALEX = [(64, 11, 4, 2), 'relu', 3, (192, 5, 1, 2), 'relu', 3, (384, 3, 1, 1), 'relu', (256, 3, 1, 1), 'relu', (256, 3, 1, 1), 'relu']
VGG = sum([([] if b == 0 else [2]) + [(o, 3, 1, 1), 'relu'] * n for b, (o, n) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)])], [])
TAPS = dict(alexnet=(ALEX, [1, 4, 7, 9, 11]), vgg16=(VGG, [3, 8, 15, 22, 29]))


def weights(name, layers, taps):
    w, c = {}, 3
    for at, layer in enumerate(layers):
        if isinstance(layer, tuple):
            o, k = layer[:2]
            w[f'features.{at}.weight'] = fill(f'{name}/features.{at}.weight', (o, c, k, k)) * math.sqrt(6 / (c * k * k))
            w[f'features.{at}.bias'] = fill(f'{name}/features.{at}.bias', (o,)) * .1
            c = o
        if at in taps: w[f'lin{taps.index(at)}.model.1.weight'] = (fill(f'{name}/lin{taps.index(at)}.model.1.weight', (1, c, 1, 1)) + 1) / 2
    return w


def lpips(w, layers, taps, a, b):
    """Zhang et al. 2018, version 0.1: a and b in [-1, 1], red first, [B, 3, H, W]."""
    def unit_features(x):
        x = (x - torch.tensor([-.030, -.088, -.188])[:, None, None]) / torch.tensor([.458, .448, .450])[:, None, None]
        for at, layer in enumerate(layers):
            if layer == 'relu': x = F.relu(x)
            elif isinstance(layer, int): x = F.max_pool2d(x, layer, 2)
            else: x = F.conv2d(x, w[f'features.{at}.weight'], w[f'features.{at}.bias'], layer[2], layer[3])
            if at in taps: yield x / (x.pow(2).sum(1, keepdim=True).sqrt() + 1e-10)
    pairs = enumerate(zip(unit_features(a), unit_features(b)))
    return sum(F.conv2d((x - y) ** 2, w[f'lin{i}.model.1.weight']).mean((1, 2, 3)) for i, (x, y) in pairs)


def image(name, *sides): return fill(name, (1, *sides, 3)).permute(0, 3, 1, 2)


with torch.no_grad():
    golden = {}
    for name, (layers, taps) in TAPS.items():
        h, w = (47, 64) if name == 'alexnet' else (16, 36)
        a, b = image(f'{name}/a', h, w), image(f'{name}/b', h, w)
        near = .9 * a + .1 * b
        of = weights(name, layers, taps)
        golden[name] = dict(height=h, width=w, distances=lpips(of, layers, taps, torch.cat([a, a]), torch.cat([b, near])).tolist())
json.dump(golden, open(sys.argv[1], 'w'), indent=1)
print(golden)
