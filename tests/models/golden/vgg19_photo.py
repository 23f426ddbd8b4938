"""Golden activations of VGG19 on a photo in PyTorch, which knows nothing of Headshot's code.

  python vgg19_photo.py WEIGHTS_FOLDER PICTURE.png vgg19_photo.json

WEIGHTS_FOLDER is that of a TensorFlow.js manifest with Keras' names; the picture is an 8-bit RGB PNG
without interlace, which every decoder reads alike. It is made smaller by means of 4 x 4 pixels: sums of
16 bytes, divided by 16, are exact in any language. Only torch and Python's own library are needed.
"""
import array, hashlib, json, os, struct, sys, zlib
import torch, torch.nn.functional as F

TAPS = ['relu1_1', 'relu2_1', 'relu3_1', 'relu3_4']
SAMPLES = 150


def read_png(path):
    """[height, width, 3] of bytes; the five filters of the format undone."""
    data = open(path, 'rb').read()
    at, packed = 8, b''
    while at < len(data):
        length, kind = struct.unpack('>I4s', data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b'IHDR':
            width, height, depth, colour, _, _, interlace = struct.unpack('>IIBBBBB', body)
            assert (depth, colour, interlace) == (8, 2, 0), 'expected 8-bit RGB without interlace'
        packed += body if kind == b'IDAT' else b''
        at += 12 + length
    raw, stride = zlib.decompress(packed), 3 * width
    rows, above = [], bytearray(stride)
    for y in range(height):
        kind, row = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for i in range(stride):
            a, b, c = row[i - 3] if i > 2 else 0, above[i], above[i - 3] if i > 2 else 0
            p = a + b - c
            nearest = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            row[i] = row[i] + (0, a, b, (a + b) // 2, nearest)[kind] & 255
        rows.append(row)
        above = row
    return torch.tensor(list(b''.join(rows)), dtype=torch.int64).reshape(height, width, 3)


def smaller(pixels):
    """Means of 4 x 4 pixels, exactly: [height / 4, width / 4, 3] of float32."""
    h, w, _ = pixels.shape
    return pixels.reshape(h // 4, 4, w // 4, 4, 3).sum((1, 3)).float() / 16


def read_weights(folder):
    weights = {}
    for group in json.load(open(os.path.join(folder, 'weights_manifest.json'))):
        raw = b''.join(open(os.path.join(folder, p), 'rb').read() for p in group['paths'])
        values, at = array.array('f', raw), 0
        for w in group['weights']:
            assert w['dtype'] == 'float32' and 'quantization' not in w
            n = 1
            for side in w['shape']: n *= side
            weights[w['name']] = torch.tensor(values[at:at + n]).reshape(w['shape'])
            at += n
    return weights


def vgg19(w, rgb):
    """Activations by their names, NCHW; `rgb` is 0 to 255, [height, width, 3]."""
    x = (rgb.flip(2) - torch.tensor([103.939, 116.779, 123.68])).permute(2, 0, 1)[None]  # Caffe: blue first
    taps = {}
    for b, count in enumerate([2, 2, 4]):
        if b: x = F.max_pool2d(x, 2)
        for c in range(count):
            k = f'block{b + 1}_conv{c + 1}'
            x = F.relu(F.conv2d(x, w[k + '/kernel'].permute(3, 2, 0, 1), w[k + '/bias'], padding=1))
            taps[f'relu{b + 1}_{c + 1}'] = x
    return taps


def samples(x):
    """Some activations as flat indices of [1, H, W, C], and the RMS of all."""
    flat = x.permute(0, 2, 3, 1).reshape(-1)
    at = [(j * 7919 + 13) % len(flat) for j in range(SAMPLES)]
    return dict(at=at, values=[float(f'{flat[p].item():.7g}') for p in at], rms=x.double().pow(2).mean().sqrt().item())


if __name__ == '__main__':
    folder, picture, out = sys.argv[1:]
    with torch.no_grad():
        pixels = smaller(read_png(picture))
        taps = vgg19(read_weights(folder), pixels)
    sums = array.array('H', (16 * pixels).reshape(-1).int().tolist())  # little-endian
    digest = hashlib.sha256(sums.tobytes()).hexdigest()
    golden = dict(picture=os.path.basename(picture), size=pixels.shape[0], sha256OfSums=digest,
                  taps={k: samples(taps[k]) for k in TAPS})
    json.dump(golden, open(out, 'w'))
    open(out, 'a').write('\n')
    print('written', out)
