"""Small pictures of two classes, and image data sets in each layout, made up for tests."""

import io
import struct
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

CLASSES = ("blob", "stripes")


def picture(number, side=32):
    """uint8 [3, side, side]: noise under a bright blob, or under stripes; `number` decides which."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:side, :side]
    if number % 2 == 0:
        centre = rng.uniform(0.3, 0.7, 2) * side
        shape = np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / (side / 5) ** 2)
    else:
        shape = (np.sin(x * rng.uniform(0.9, 1.3) + rng.uniform(0, 6)) + 1) / 2
    colour = rng.uniform(0.5, 1.0, 3)
    noise = rng.uniform(0, 60, (3, side, side))
    return np.clip(noise + 195 * colour[:, None, None] * shape, 0, 255).astype(np.uint8)


def encoded(pixels, kind="PNG", **options):
    """A PNG or JPEG file of pixels uint8 [3, H, W]."""
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(out, kind, **options)
    return out.getvalue()


def huge_png(width=60_000, height=60_000):
    """A PNG of a few bytes whose header claims billions of pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def image_folder(root, count=20, side=32):
    """Class folders without splits; every third picture is a JPEG."""
    for i in range(count):
        kind = "JPEG" if i % 3 == 0 else "PNG"
        put(root / CLASSES[i % 2] / f"{i:03d}.{kind.lower()}", encoded(picture(i, side), kind))


def cifar10(root, count=20):
    """`count` records in each of two training batches, and as many in the test batch."""
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    folder = root / "cifar-10-batches-bin"
    put(folder / "batches.meta.txt", "\n".join([*names, ""]).encode())
    for part, name in enumerate(("data_batch_1.bin", "data_batch_2.bin", "test_batch.bin")):
        records = [bytes([i % 2]) + picture(part * count + i).tobytes() for i in range(count)]
        put(folder / name, b"".join(records))


def cifar100(root, count=20):
    folder = root / "cifar-100-binary"
    put(folder / "fine_label_names.txt", "\n".join(f"class_{i}" for i in range(100)).encode())
    for name in ("train.bin", "test.bin"):
        put(folder / name, b"".join(bytes([7, i % 2 + 40]) + picture(i).tobytes() for i in range(count)))


def tiny_imagenet(root, count=20):
    for i in range(count):
        wnid = ("n01443537", "n01629819")[i % 2]
        put(root / "train" / wnid / "images" / f"{wnid}_{i}.JPEG", encoded(picture(i, 64), "JPEG"))
        put(root / "train" / wnid / f"{wnid}_boxes.txt", b"n01443537_0.JPEG 0 10 63 58\n")
    lines = []
    for i in range(count):
        put(root / "val" / "images" / f"val_{i}.JPEG", encoded(picture(100 + i, 64), "JPEG"))
        lines.append(f"val_{i}.JPEG\t{('n01443537', 'n01629819')[i % 2]}\t0\t32\t44\t62\n")
    put(root / "val" / "val_annotations.txt", "".join(lines).encode())
    put(root / "test" / "images" / "test_0.JPEG", encoded(picture(0, 64), "JPEG"))


def image_parquet(root, count=40):
    """As the Hugging Face hub has it: {bytes, path}, numbers with names in the schema, the split in the file name."""
    features = {"label": {"names": list(CLASSES), "_type": "ClassLabel"}}
    metadata = {b"huggingface": str({"info": {"features": features}}).replace("'", '"').encode()}
    for split, start in (("train", 0), ("test", count)):
        images = [{"bytes": encoded(picture(start + i)), "path": f"{i}.png"} for i in range(count)]
        table = pa.table({"img": images, "label": pa.array([i % 2 for i in range(count)], pa.int64())})
        path = root / "data" / f"{split}-00000-of-00001.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table.replace_schema_metadata(metadata), path, row_group_size=16)


#: A maker of a small set for each layout of pictures.
SETS = {
    "image_folder": image_folder,
    "image_parquet": image_parquet,
    "cifar": cifar10,
    "tiny_imagenet": tiny_imagenet,
}
