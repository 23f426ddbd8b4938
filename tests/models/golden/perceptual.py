"""Golden activations of the frozen networks in PyTorch, which knows nothing of Headshot's code.

  python perceptual.py vgg19 WEIGHTS_FOLDER vgg19.json      the folder of a TensorFlow.js manifest
  python perceptual.py faceres MODEL_JSON faceres.json      faceres.json of the npm package, with its .bin beside it
"""
import json, os, sys
import numpy as np, torch, torch.nn.functional as F


def fill(name, shape):
    """The same pseudo-random numbers in any language: 32-bit FNV-1a of the name, mixed with the flat index, in [-1, 1)."""
    h = 2166136261
    for b in name.encode():
        h = ((h ^ b) * 16777619) & 0xffffffff
    x = (np.arange(int(np.prod(shape)), dtype=np.uint64) * 2654435761 + h) & 0xffffffff
    x = ((x ^ (x >> 16)) * 0x85ebca6b) & 0xffffffff
    x = ((x ^ (x >> 13)) * 0xc2b2ae35) & 0xffffffff
    x = x ^ (x >> 16)
    return torch.tensor((x.astype(np.float64) / 2147483648 - 1).astype(np.float32).reshape(shape))


def read(manifest):
    groups = json.load(open(manifest))
    groups = groups if isinstance(groups, list) else groups['weightsManifest']
    weights = {}
    for group in groups:
        raw, at = b''.join(open(os.path.join(os.path.dirname(manifest), p), 'rb').read() for p in group['paths']), 0
        for w in group['weights']:
            dtype = {'float32': '<f4', 'float16': '<f2', 'int32': '<i4'}[w.get('quantization', w)['dtype']]
            n = int(np.prod(w['shape'], dtype=np.int64))
            values = np.frombuffer(raw, dtype, n, at)
            weights[w['name']] = torch.tensor(values.astype(np.float32).reshape(w['shape']))
            at += values.nbytes
        assert at == len(raw)
    return weights


def caffe(x):
    """[-1, 1] RGB, NCHW, to 0..255 BGR without the means."""
    return ((x + 1) * 127.5).flip(1) - torch.tensor([103.939, 116.779, 123.68])[:, None, None]


def vgg19(w, x):
    x, taps = caffe(x), {}
    for b, count in enumerate([2, 2, 4]):
        if b: x = F.max_pool2d(x, 2)
        for c in range(count):
            k = f'block{b + 1}_conv{c + 1}'
            x = F.relu(F.conv2d(x, w[k + '/kernel'].permute(3, 2, 0, 1), w[k + '/bias'], padding=1))
            taps[f'relu{b + 1}_{c + 1}'] = x
    return taps


def same(x, stride):
    """TensorFlow's "same" padding for a 3x3 filter and an even size."""
    return F.pad(x, (1, 1, 1, 1) if stride == 1 else (0, 1, 0, 1))


def faceres(w, x):
    x, taps = caffe(x), {}
    k = w['conv1/convolution/merged_input'].permute(3, 2, 0, 1)
    x = taps['conv1'] = F.conv2d(same(x, 2), k, w['conv1_bn/batchnorm_1/sub'], stride=2).clamp(0, 6)
    for i in range(1, 14):
        s, c = 2 if i in (2, 4, 6, 12) else 1, x.shape[1]
        x = F.conv2d(same(x, s), w[f'conv_dw_{i}/depthwise_kernel'].permute(2, 3, 0, 1), stride=s, groups=c)
        x = (x * w[f'conv_dw_{i}_bn/batchnorm_1/mul'][:, None, None] + w[f'conv_dw_{i}_bn/batchnorm_1/sub'][:, None, None]).clamp(0, 6)
        x = F.conv2d(x, w[f'conv_pw_{i}/convolution/merged_input'].permute(3, 2, 0, 1), w[f'conv_pw_{i}_bn/batchnorm_1/sub']).clamp(0, 6)
        taps[f'pw{i}'] = x
    return taps


def samples(x, count=12, centre=False):
    """Activations [1, C, H, W] at some places, as flat indices of [1, H, W, C], and their RMS."""
    x = x.permute(0, 2, 3, 1)
    _, h, w, c = x.shape
    flat, at = x.reshape(-1), []
    for j in range(count):
        p = (j * 7919 + 13) % (h * w * c)
        if centre:
            row, column = h // 2 - 2 + j % 4, w // 2 - 2 + j // 4 % 4
            p = (row * w + column) * c + (j * 7919) % c
        at.append(p)
    return dict(at=at, values=[flat[p].item() for p in at], rms=x.double().pow(2).mean().sqrt().item())


if __name__ == '__main__':
    kind, source, out = sys.argv[1:]
    golden = {}
    with torch.no_grad():
        if kind == 'vgg19':
            w = read(os.path.join(source, 'weights_manifest.json'))
            x = fill('vgg19/image', (1, 32, 32, 3)).permute(0, 3, 1, 2)
            golden = dict(size=32, taps={k: samples(v) for k, v in vgg19(w, x).items()})
        else:
            w = read(source)
            x = fill('faceres/128', (1, 128, 128, 3)).permute(0, 3, 1, 2)
            large = {k: samples(v) for k, v in faceres(w, x).items()}
            x = fill('faceres/64', (1, 64, 64, 3)).permute(0, 3, 1, 2)
            x = F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=False)
            small = {k: samples(v, centre=True) for k, v in faceres(w, x).items() if k in ('conv1', 'pw1', 'pw2', 'pw3', 'pw5')}
            golden = dict(large=large, small=small)
    json.dump(golden, open(out, 'w'), indent=1)
    print('written', out)
