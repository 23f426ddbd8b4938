"""Golden numbers of the rivals' layers: python layers.py > layers.json"""
import json
import torch
import torch.nn.functional as F

generator = torch.Generator().manual_seed(6)
draw = lambda *shape: torch.randn(*shape, generator=generator)
last = lambda t: t.permute(0, 2, 3, 1)
numbers = lambda t: [float(f"{x:.8g}") for x in t.detach().reshape(-1).tolist()]
kernel = lambda w: w.permute(2, 3, 1, 0)  # OIHW to HWIO

cases = []
for name, shape, filter_shape, run, to_kernel in [
    ("strided4", (2, 3, 8, 6), (2, 3, 4, 4), lambda x, w: F.conv2d(x, w, None, 2, 1), kernel),
    ("strided4 wide", (1, 2, 7, 6), (3, 2, 4, 4), lambda x, w: F.conv2d(x, w, None, 2, 2), kernel),
    ("strided3", (1, 2, 6, 8), (3, 2, 3, 3), lambda x, w: F.conv2d(x, w, None, 2, 1), kernel),
    ("padded4", (1, 2, 5, 4), (3, 2, 4, 4), lambda x, w: F.conv2d(x, w, None, 1, 2), kernel),
    ("transposed", (2, 2, 3, 4), (2, 3, 3, 3),
     lambda x, w: F.conv_transpose2d(x, w, None, 2, 1, 1),
     lambda w: w.permute(2, 3, 0, 1).flip(0, 1)),  # IOHW, turned round
    ("reflect", (1, 2, 5, 4), None, lambda x, w: F.pad(x, (3, 3, 3, 3), mode="reflect"), None),
    ("upsample", (2, 2, 3, 4), None,
     lambda x, w: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True), None),
    ("pool", (1, 2, 7, 6), None,
     lambda x, w: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), None),
]:
    x = draw(*shape).requires_grad_(True)
    w = None if filter_shape is None else draw(*filter_shape).requires_grad_(True)
    y = run(x, w)
    weight = draw(*y.shape)
    (y * weight).sum().backward()
    case = {"name": name, "shape": list(last(x).shape), "x": numbers(last(x)),
            "y": numbers(last(y)), "outShape": list(last(y).shape),
            "weight": numbers(last(weight)), "dx": numbers(last(x.grad))}
    if w is not None:
        case |= {"filterShape": list(to_kernel(w).shape), "filter": numbers(to_kernel(w)),
                 "dfilter": numbers(to_kernel(w.grad))}
    cases.append(case)
print(json.dumps({"torch": torch.__version__, "cases": cases}))
