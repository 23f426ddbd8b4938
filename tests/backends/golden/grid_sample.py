"""Golden numbers of PyTorch's grid_sample: python grid_sample.py > grid_sample.json"""
import json
import torch
import torch.nn.functional as F

generator = torch.Generator().manual_seed(5)
cases = []
for batch, channels, (height, width), (rows, columns), reach in [
    (2, 3, (5, 7), (6, 4), 1.0), (1, 2, (8, 8), (5, 5), 1.6), (3, 1, (1, 4), (3, 2), 1.2),
]:
    image = torch.randn(batch, channels, height, width, generator=generator, requires_grad=True)
    grid = ((torch.rand(batch, rows, columns, 2, generator=generator) * 2 - 1) * reach)
    grid.requires_grad_(True)
    weight = torch.randn(batch, channels, rows, columns, generator=generator)
    value = F.grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=True)
    (value * weight).sum().backward()

    def numbers(tensor, channels_first=True):
        tensor = tensor.detach()
        if channels_first:
            tensor = tensor.permute(0, 2, 3, 1)
        return [float(f"{x:.8g}") for x in tensor.reshape(-1).tolist()]

    cases.append({
        "image": [batch, height, width, channels], "grid": [batch, rows, columns, 2],
        "imageValues": numbers(image), "gridValues": numbers(grid, False),
        "weight": numbers(weight), "value": numbers(value),
        "imageGradient": numbers(image.grad), "gridGradient": numbers(grid.grad, False),
    })
print(json.dumps({"torch": torch.__version__, "cases": cases}))
