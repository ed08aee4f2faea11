from spikinghash import Hasher

hasher = Hasher.load("data/models/default")  # or of the registry: "models:/spikinghash@champion"
codes = hasher.encode("data/raw/digits/train")  # a folder of recordings; codes.refused names what could not be read
hits = hasher.search("data/raw/digits/test/3/0060.bin", codes, k=5)
print(hits)
