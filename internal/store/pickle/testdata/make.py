"""Writes torch.zip and torch.old, checkpoints as torch.save writes them and wrote them
before 1.6, without torch: pickles name classes and functions, so stand-ins of the
same names give the same bytes."""
import collections, io, pickle, struct, sys, types, zipfile

utils = types.ModuleType("torch._utils")
torch = types.ModuleType("torch")
torch._utils = utils
sys.modules["torch"], sys.modules["torch._utils"] = torch, utils


def named(module, name):
    def f(*args):
        return args

    f.__module__, f.__name__, f.__qualname__ = module, name, name
    return f


utils._rebuild_tensor_v2 = named("torch._utils", "_rebuild_tensor_v2")
utils._rebuild_parameter = named("torch._utils", "_rebuild_parameter")
for kind in ("Float", "Half", "Long"):
    cls = type(kind + "Storage", (), {})
    cls.__module__ = "torch"
    setattr(torch, kind + "Storage", cls)


class Storage:
    def __init__(self, kind, key, data, values):
        self.id, self.data = ("storage", kind, key, "cpu", values), data


class Tensor:
    def __init__(self, storage, offset, size, stride):
        self.args = (storage, offset, size, stride, False, collections.OrderedDict())

    def __reduce__(self):
        return utils._rebuild_tensor_v2, self.args


class Parameter:
    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce__(self):
        return utils._rebuild_parameter, (self.tensor, True, collections.OrderedDict())


class Pickler(pickle.Pickler):
    def persistent_id(self, obj):
        return obj.id if isinstance(obj, Storage) else None


floats = Storage(torch.FloatStorage, "0", struct.pack("<12f", *range(12)), 12)
halves = Storage(torch.HalfStorage, "1", struct.pack("<4e", 0.5, 1, -2, 4), 4)
longs = Storage(torch.LongStorage, "2", struct.pack("<3q", 7, -8, 1 << 40), 3)
state = collections.OrderedDict()
state["whole.weight"] = Tensor(floats, 0, (3, 4), (4, 1))
state["rows.weight"] = Tensor(floats, 4, (2, 4), (4, 1))
state["turned.weight"] = Tensor(floats, 0, (4, 3), (1, 4))
state["half.bias"] = Parameter(Tensor(halves, 0, (4,), (1,)))
state["position_ids"] = Tensor(longs, 0, (1, 3), (3, 1))
state["scalar"] = Tensor(floats, 5, (), ())
state["note"] = "no tensor"
state._metadata = collections.OrderedDict({"": {"version": 1}})

program = io.BytesIO()
Pickler(program, 2).dump(state)
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_STORED) as z:
    z.writestr("archive/data.pkl", program.getvalue())
    z.writestr("archive/byteorder", "little")
    for s in (floats, halves, longs):
        z.writestr("archive/data/" + s.id[2], s.data)
    z.writestr("archive/version", "3\n")

for s in (floats, halves, longs):
    s.id += (None,)
with open(sys.argv[2], "wb") as f:
    Pickler(f, 2).dump(0x1950A86A20F9469CFC6C)
    Pickler(f, 2).dump(1001)
    Pickler(f, 2).dump({"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}})
    Pickler(f, 2).dump(state)
    Pickler(f, 2).dump(["0", "1", "2"])
    for s in (floats, halves, longs):
        f.write(struct.pack("<q", s.id[4]) + s.data)
