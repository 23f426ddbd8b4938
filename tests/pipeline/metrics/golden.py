"""Golden numbers of the metrics from NumPy and SciPy:  python golden.py golden.json  (checks scikit-image too where it is there)"""
import json, sys
import numpy as np
from scipy.linalg import sqrtm
from scipy.ndimage import gaussian_filter


def fill(name, *shape):
    """The same pseudo-random numbers in any language: 32-bit FNV-1a of the name, mixed with the flat index, in [-1, 1)."""
    h = 2166136261
    for b in name.encode():
        h = ((h ^ b) * 16777619) & 0xffffffff
    x = (np.arange(int(np.prod(shape)), dtype=np.uint64) * 2654435761 + h) & 0xffffffff
    x = ((x ^ (x >> 16)) * 0x85ebca6b) & 0xffffffff
    x = ((x ^ (x >> 13)) * 0xc2b2ae35) & 0xffffffff
    x = x ^ (x >> 16)
    return (x.astype(np.float64) / 2147483648 - 1).astype(np.float32).astype(np.float64).reshape(shape)


def picture(name, h, w):
    """Bytes with structure: flat squares of 4x4 pixels with noise on top."""
    coarse = np.kron(fill(name + '/coarse', -(-h // 4), -(-w // 4), 3), np.ones((4, 4, 1)))[:h, :w]
    return np.floor((coarse * 3 + fill(name + '/fine', h, w, 3) + 4) * 32).clip(0, 255)


def ssim(a, b):
    blur = lambda x: gaussian_filter(x, 1.5, truncate=3.5)[5:-5, 5:-5]
    values = []
    for x, y in zip(np.moveaxis(a, 2, 0), np.moveaxis(b, 2, 0)):
        mx, my = blur(x), blur(y)
        vx, vy, vxy = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
        c1, c2 = (.01 * 255) ** 2, (.03 * 255) ** 2
        values.append(((2 * mx * my + c1) * (2 * vxy + c2) / ((mx ** 2 + my ** 2 + c1) * (vx + vy + c2))).mean())
    return np.mean(values)


def frechet(x, y):
    s, t = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s + t - 2 * np.real(sqrtm(s @ t)))


def kernel(x, y):
    """Unbiased squared maximum mean discrepancy, kernel (x.y / d + 1)^3."""
    k = lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3
    n, m, xx, yy = len(x), len(y), k(x, x), k(y, y)
    return (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1)) - 2 * k(x, y).mean()


pairs = []
for i in range(20):
    h, w, keep = 11 + 2 * i, 49 - i, i % 9
    a, other = picture(f'ssim/{i}/a', h, w), picture(f'ssim/{i}/b', h, w)
    b = np.floor((a * keep + other * (8 - keep)) / 8)
    pairs.append(dict(height=h, width=w, keep=keep, ssim=ssim(a, b), meanAbsoluteError=np.abs(a - b).mean() / 127.5))
    try:
        from skimage.metrics import structural_similarity
        other = structural_similarity(a.astype(np.uint8), b.astype(np.uint8), gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, channel_axis=-1)
        assert abs(other - pairs[-1]['ssim']) < 1e-9, (i, other, pairs[-1])
    except ImportError:
        pass

features = []
for n, m, d in [(60, 80, 8), (200, 150, 24)]:
    mix = fill(f'features/{d}/mix', d, d)
    x, y = fill(f'features/{d}/x', n, d) @ mix, fill(f'features/{d}/y', m, d) * .7 + .2
    features.append(dict(n=n, m=m, d=d, frechet=frechet(x, y), kernel=kernel(x, y)))
json.dump(dict(pairs=pairs, features=features), open(sys.argv[1], 'w'), indent=1)
print('written', sys.argv[1])
