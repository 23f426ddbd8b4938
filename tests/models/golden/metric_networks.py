"""Golden outputs of the networks of the metrics in PyTorch, which knows nothing of Headshot's code.

  python metric_networks.py metric_networks.json [MOBILEFACE_JSON]
"""
import json, math, sys
import torch, torch.nn as nn, torch.nn.functional as F
from perceptual import fill, read


class Conv(nn.Module):
    def __init__(self, i, o, k, stride=1, padding=0):
        super().__init__()
        self.conv = nn.Conv2d(i, o, k, stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(o, eps=0.001)

    def forward(self, x): return F.relu(self.bn(self.conv(x)))


def mean3(x): return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
def max3(x): return F.max_pool2d(x, 3, 1, 1)


class A(nn.Module):
    def __init__(self, i, p):
        super().__init__()
        self.branch1x1 = Conv(i, 64, 1)
        self.branch5x5_1, self.branch5x5_2 = Conv(i, 48, 1), Conv(48, 64, 5, padding=2)
        self.branch3x3dbl_1, self.branch3x3dbl_2, self.branch3x3dbl_3 = Conv(i, 64, 1), Conv(64, 96, 3, padding=1), Conv(96, 96, 3, padding=1)
        self.branch_pool = Conv(i, p, 1)

    def forward(self, x):
        return torch.cat([self.branch1x1(x), self.branch5x5_2(self.branch5x5_1(x)),
                          self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x))), self.branch_pool(mean3(x))], 1)


class B(nn.Module):
    def __init__(self, i):
        super().__init__()
        self.branch3x3 = Conv(i, 384, 3, stride=2)
        self.branch3x3dbl_1, self.branch3x3dbl_2, self.branch3x3dbl_3 = Conv(i, 64, 1), Conv(64, 96, 3, padding=1), Conv(96, 96, 3, stride=2)

    def forward(self, x):
        return torch.cat([self.branch3x3(x), self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x))), F.max_pool2d(x, 3, 2)], 1)


def row(i, o): return Conv(i, o, (1, 7), padding=(0, 3))
def column(i, o): return Conv(i, o, (7, 1), padding=(3, 0))


class C(nn.Module):
    def __init__(self, i, c):
        super().__init__()
        self.branch1x1 = Conv(i, 192, 1)
        self.branch7x7_1, self.branch7x7_2, self.branch7x7_3 = Conv(i, c, 1), row(c, c), column(c, 192)
        self.branch7x7dbl_1, self.branch7x7dbl_2, self.branch7x7dbl_3 = Conv(i, c, 1), column(c, c), row(c, c)
        self.branch7x7dbl_4, self.branch7x7dbl_5 = column(c, c), row(c, 192)
        self.branch_pool = Conv(i, 192, 1)

    def forward(self, x):
        d = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        return torch.cat([self.branch1x1(x), self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x))),
                          self.branch7x7dbl_5(self.branch7x7dbl_4(d)), self.branch_pool(mean3(x))], 1)


class D(nn.Module):
    def __init__(self, i):
        super().__init__()
        self.branch3x3_1, self.branch3x3_2 = Conv(i, 192, 1), Conv(192, 320, 3, stride=2)
        self.branch7x7x3_1, self.branch7x7x3_2, self.branch7x7x3_3 = Conv(i, 192, 1), row(192, 192), column(192, 192)
        self.branch7x7x3_4 = Conv(192, 192, 3, stride=2)

    def forward(self, x):
        s = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), s, F.max_pool2d(x, 3, 2)], 1)


class E(nn.Module):
    def __init__(self, i, pool):
        super().__init__()
        self.pool = pool
        self.branch1x1 = Conv(i, 320, 1)
        self.branch3x3_1 = Conv(i, 384, 1)
        self.branch3x3_2a, self.branch3x3_2b = Conv(384, 384, (1, 3), padding=(0, 1)), Conv(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1, self.branch3x3dbl_2 = Conv(i, 448, 1), Conv(448, 384, 3, padding=1)
        self.branch3x3dbl_3a, self.branch3x3dbl_3b = Conv(384, 384, (1, 3), padding=(0, 1)), Conv(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = Conv(i, 192, 1)

    def forward(self, x):
        t, d = self.branch3x3_1(x), self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return torch.cat([self.branch1x1(x), self.branch3x3_2a(t), self.branch3x3_2b(t),
                          self.branch3x3dbl_3a(d), self.branch3x3dbl_3b(d), self.branch_pool(self.pool(x))], 1)


class Inception(nn.Module):
    """Inception v3 of 2015-12-05 as pytorch-fid runs it, names as in its file."""
    def __init__(self):
        super().__init__()
        self.Conv2d_1a_3x3, self.Conv2d_2a_3x3, self.Conv2d_2b_3x3 = Conv(3, 32, 3, stride=2), Conv(32, 32, 3), Conv(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1, self.Conv2d_4a_3x3 = Conv(64, 80, 1), Conv(80, 192, 3)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = A(192, 32), A(256, 64), A(288, 64)
        self.Mixed_6a, self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e = B(288), C(768, 128), C(768, 160), C(768, 160), C(768, 192)
        self.Mixed_7a, self.Mixed_7b, self.Mixed_7c = D(768), E(1280, mean3), E(2048, max3)

    def forward(self, x):  # [0, 1]
        x = 2 * F.interpolate(x, size=(299, 299), mode='bilinear', align_corners=False) - 1
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, 2)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(F.max_pool2d(x, 3, 2))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        return F.adaptive_avg_pool2d(self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x))), 1).flatten(1)


def hashed(name, shape):
    x = fill(name, shape)
    if name.endswith('conv.weight'): return x * math.sqrt(6 / math.prod(shape[1:]))
    if name.endswith('running_mean'): return 0.1 * x
    if name.endswith('running_var'): return 1 + 0.5 * x
    if name.endswith('bn.weight'): return 1 + 0.1 * x
    return 0.1 * x


def mobileface(w, x):  # [-1, 1], NCHW
    def prelu(x, a): return F.prelu(x, a)
    def conv(x, k, **o): return F.conv2d(x, k.permute(3, 2, 0, 1), **o)
    def deep(x, k, stride): return F.conv2d(x, k.permute(2, 3, 0, 1), stride=stride, padding=1, groups=x.shape[1])
    x = ((x + 1) * 127.5 - 127.5) * 0.0078125
    x = prelu(conv(x, w['conv1_weight'], stride=2, padding=1), w['prelu1_gamma'])
    for s in range(1, 5):
        n = f'stage{s}_unit1_'
        x = conv(x, w[n + 'conv0_0_weight'])
        x = prelu(deep(x, w[n + 'conv0_1_df'], 2), w[n + 'prelu0_gamma'])
        y = prelu(deep(x, w[n + 'conv1_df'], 1), w[n + 'prelu1_gamma'])
        x = x + prelu(deep(y, w[n + 'conv2_df'], 1), w[n + 'prelu2_gamma'])
    x = x.permute(0, 2, 3, 1).reshape(x.shape[0], -1) @ w['dense/kernel']
    return x * w['batchnorm0/mul'] + w['batchnorm0/sub']


def hashed_face(name, shape):
    x = fill(name, shape)
    if name.endswith(('weight', 'kernel')): return x * math.sqrt(3 / math.prod(shape[:-1]))
    if name.endswith('_df'): return x * math.sqrt(3 / 9)
    if name.endswith('gamma'): return 0.25 + 0.2 * x
    return 1 + 0.5 * x if name.endswith('mul') else x


def face_shapes():
    shapes = {'conv1_weight': (3, 3, 3, 32), 'prelu1_gamma': (32,)}
    for s, (i, o) in enumerate([(32, 32), (32, 32), (32, 64), (64, 128)], 1):
        n = f'stage{s}_unit1_'
        shapes |= {n + 'conv0_0_weight': (1, 1, i, o), n + 'conv0_1_df': (3, 3, o, 1), n + 'conv1_df': (3, 3, o, 1), n + 'conv2_df': (3, 3, o, 1)}
        shapes |= {n + f'prelu{j}_gamma': (o,) for j in range(3)}
    return shapes | {'dense/kernel': (2048, 256), 'batchnorm0/mul': (256,), 'batchnorm0/sub': (256,)}


class Block(nn.Module):
    """A block of insightface's residual network, names as in its file."""
    def __init__(self, i, o, stride):
        super().__init__()
        self.bn1, self.conv1, self.bn2, self.prelu = nn.BatchNorm2d(i), nn.Conv2d(i, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o), nn.PReLU(o)
        self.conv2, self.bn3 = nn.Conv2d(o, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.downsample = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o)) if stride == 2 else None

    def forward(self, x):
        y = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        return y + (self.downsample(x) if self.downsample else x)


class ArcFace(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.conv1, self.bn1, self.prelu = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64)
        sides = [64, 64, 128, 256, 512]
        for s, n in enumerate(blocks):
            setattr(self, f'layer{s + 1}', nn.Sequential(*[Block(sides[s] if j == 0 else sides[s + 1], sides[s + 1], 2 if j == 0 else 1) for j in range(n)]))
        self.bn2, self.fc, self.features = nn.BatchNorm2d(512), nn.Linear(512 * 49, 512), nn.BatchNorm1d(512)

    def forward(self, x):
        x = self.prelu(self.bn1(self.conv1(x)))
        x = self.bn2(self.layer4(self.layer3(self.layer2(self.layer1(x)))))
        return self.features(self.fc(x.flatten(1)))


def hashed_arc(name, shape):
    x = fill(name, shape)
    if len(shape) > 1: return x * math.sqrt(3 / math.prod(shape[1:]))
    if name.endswith('prelu.weight'): return 0.25 + 0.2 * x
    if name.endswith('running_var'): return 1 + 0.5 * x
    if name.endswith('weight'): return 1 + 0.1 * x
    return 0.1 * x


def samples(x, count):
    x = x.flatten()
    at = [(j * 7919 + 13) % len(x) for j in range(count)]
    return dict(at=at, values=[x[p].item() for p in at], rms=x.double().pow(2).mean().sqrt().item())


def image(name, size): return fill(name, (1, size, size, 3)).permute(0, 3, 1, 2)


with torch.no_grad():
    net = Inception().eval()
    own = {k: v for k, v in net.state_dict().items() if 'num_batches' not in k}
    net.load_state_dict({k: hashed(k, tuple(v.shape)) for k, v in own.items()}, strict=False)
    x = image('inception/image', 80)
    golden = dict(inception=dict(size=80, parameters=sum(p.numel() for p in net.parameters()), **samples(net((x + 1) / 2), 48)))
    net = ArcFace([2, 2, 2, 2]).eval()
    net.load_state_dict({k: hashed_arc(k, tuple(v.shape)) for k, v in net.state_dict().items() if 'num_batches' not in k}, strict=False)
    golden['arcface'] = samples(net(image('arcface/image', 112)), 48)
    w = {k: hashed_face(k, s) for k, s in face_shapes().items()}
    x = image('mobileface/image', 112)
    golden['mobileface'] = samples(mobileface(w, x), 32)
    if len(sys.argv) > 2: golden['mobilefacePublished'] = samples(mobileface(read(sys.argv[2]), x), 32)
json.dump(golden, open(sys.argv[1], 'w'), indent=1)
print({k: v['rms'] for k, v in golden.items()})
