"""Small files as torch.save writes them, both forms: python torch_files.py FOLDER"""
import collections, sys, torch

base = torch.arange(24.).reshape(4, 6)
tensors = collections.OrderedDict(
    plain=base, transposed=base.t(), part=base[1:3, 2:5],
    half=torch.tensor([1.5, -2, 6e-8], dtype=torch.half), brain=torch.tensor([1.5, -2, 3e38]).bfloat16(),
    double=torch.tensor([0.1], dtype=torch.double), long=torch.tensor(7), bool=torch.tensor([True, False]),
    byte=torch.tensor([0, 255], dtype=torch.uint8), empty=torch.zeros(0, 3), parameter=torch.nn.Parameter(torch.ones(2, 2)))
for name, form in (('zip', {}), ('legacy', dict(_use_new_zipfile_serialization=False))):
    torch.save({'state_dict': tensors, 'epoch': 3, 'best': 0.25, 'name': 'tiny'}, f'{sys.argv[1]}/tiny_{name}.pth', **form)
