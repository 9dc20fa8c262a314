from __future__ import annotations

import contextlib
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import blosc2
import numpy as np
import pytest
import xxhash
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aqqua.errors import FormatError, UnsafeInputError
from aqqua.store import chunk as chunk_module
from aqqua.store.chunk import MAX_IMAGE_BYTES
from aqqua.store.codec import check_value, decode, encode, pixel_hash

RNG = np.random.default_rng(0)

SHAPES = st.one_of(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(2, 12)),
)
IMAGES = st.sampled_from(["uint8", "uint16"]).flatmap(lambda dtype: hnp.arrays(dtype, SHAPES))

EXAMPLES = {
    "zstd": np.kron(RNG.integers(0, 200, (6, 5), np.uint8), np.ones((4, 4), np.uint8)),
    "stored": RNG.integers(0, 256, (9, 7), np.uint8),
    "zero": np.zeros((12, 12), np.uint8),
    "constant": np.full((12, 12), 137, np.uint8),
    "rgb": RNG.integers(0, 3, (11, 9, 3)).astype(np.uint8),
    "16 bits": (RNG.integers(0, 5, (12, 13)) * 300).astype(np.uint16),
    "16 bits stored": RNG.integers(0, 1 << 16, (5, 5), np.uint16),
    "16 bits constant": np.full((9, 9), 0x1234, np.uint16),
    "12 channels": RNG.integers(0, 4, (6, 5, 12)).astype(np.uint16),
    "one pixel": np.array([[7]], np.uint8),
    "one row": np.arange(300, dtype=np.uint16)[None],
}


@given(IMAGES)
@settings(max_examples=150, deadline=None)
def test_pixels_come_back(image: np.ndarray) -> None:
    again = decode(encode(image))
    assert again.dtype == image.dtype
    np.testing.assert_array_equal(again, image)
    assert again.flags.writeable


@pytest.mark.parametrize("name", EXAMPLES)
def test_our_values_are_decoded_without_blosc2(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = encode(EXAMPLES[name])
    monkeypatch.setattr(chunk_module, "_by_blosc2", None)
    np.testing.assert_array_equal(decode(memoryview(value)), EXAMPLES[name])


def test_decoding_does_not_import_blosc2(tmp_path: Path) -> None:
    for index, image in enumerate(EXAMPLES.values()):
        (tmp_path / f"{index}.value").write_bytes(encode(image))
    program = (
        "import sys, pathlib; from aqqua.store.codec import decode\n"
        f"for path in pathlib.Path({str(tmp_path)!r}).iterdir(): decode(path.read_bytes())\n"
        "assert 'blosc2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("name", EXAMPLES)
def test_any_blosc2_reads_the_chunk_as_it_is(name: str) -> None:
    assert blosc2.decompress2(encode(EXAMPLES[name])) == EXAMPLES[name].tobytes()


def test_a_value_is_laid_out_as_the_format_page_says() -> None:
    image = EXAMPLES["16 bits"]
    value = encode(image)
    magic, version, kind, height, width, digest = struct.unpack("<2sBBHHQ", value[-16:])
    assert (magic, version, kind, height, width) == (b"AQ", 1, 1 | 1 << 6, 12, 13)
    assert digest == xxhash.xxh3_64_intdigest(value[:-16])
    chunk_version, _, flags, typesize, nbytes, blocksize, cbytes = struct.unpack("<BBBBiii", value[:16])
    assert (chunk_version, typesize, nbytes, blocksize, cbytes) == (5, 2, image.nbytes, image.nbytes, len(value) - 16)
    assert flags >> 5 == 4  # zstd
    assert flags & 0x10  # not split
    assert value[16:22] == bytes((0, 0, 0, 0, 0, 1))  # shuffle


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_reader_on_the_format_page_reads_every_kind(name: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "format.md").read_text("utf-8")
    function = page[page.index("def pixels(") : page.index("for shard in shards:")]
    names: dict[str, Any] = {"struct": struct, "xxhash": xxhash, "zstandard": zstandard, "np": np}
    exec(function, names)
    np.testing.assert_array_equal(names["pixels"](encode(EXAMPLES[name])), EXAMPLES[name])


def test_the_same_image_gives_the_same_value() -> None:
    image = EXAMPLES["zstd"]
    assert encode(image) == encode(np.asfortranarray(image)) == encode(image[:, :, None])
    wide = EXAMPLES["16 bits"]
    assert encode(wide) == encode(wide.astype(">u2"))


def test_one_channel_is_no_channel() -> None:
    assert decode(encode(np.zeros((3, 4, 1), np.uint8))).shape == (3, 4)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((3, 4), np.float32),
        np.zeros((3, 4), np.int16),
        np.zeros((3, 4), bool),
        np.zeros((3, 4), np.uint32),
        np.zeros(3, np.uint8),
        np.zeros((2, 2, 2, 2), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros((4, 0), np.uint8),
        np.zeros((4, 4, 0), np.uint8),
        np.zeros((1, 65_536), np.uint8),
        np.zeros((1, 1, 64), np.uint8),
        np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (40_000, 40_000), (0, 0)),
    ],
    ids=lambda image: f"{image.dtype}{image.shape}",
)
def test_what_is_no_image_is_refused(image: np.ndarray) -> None:
    with pytest.raises(FormatError):
        encode(image)


@pytest.mark.parametrize("name", ["zstd", "stored", "zero", "constant", "16 bits", "rgb"])
def test_every_single_flipped_bit_is_noticed(name: str) -> None:
    value = encode(EXAMPLES[name])
    for bit in range(8 * len(value)):
        damaged = bytearray(value)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FormatError):
            decode(bytes(damaged))


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damage_of_any_kind_is_noticed(data: st.DataObject) -> None:
    value = encode(EXAMPLES[data.draw(st.sampled_from(sorted(EXAMPLES)))])
    damaged = bytearray(value)
    at = data.draw(st.integers(0, len(value) - 1))
    length = data.draw(st.integers(1, 40))
    damaged[at : at + length] = data.draw(st.binary(max_size=40))
    if bytes(damaged) != value:
        with pytest.raises(FormatError):
            decode(bytes(damaged), where="shard, key 3")


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_shortened_value_is_noticed(name: str) -> None:
    value = encode(EXAMPLES[name])
    for length in range(len(value)):
        assert not check_value(value[:length])
        with pytest.raises(FormatError):
            decode(value[:length])


def test_checking_without_decoding() -> None:
    value = encode(EXAMPLES["zstd"])
    assert check_value(value)
    assert check_value(memoryview(value))
    assert not check_value(value[:-1] + bytes([value[-1] ^ 1]))
    assert not check_value(b"\x00" + value[1:])


def signed(chunk: bytes | bytearray, height: int, width: int, channels: int = 1, itemsize: int = 1) -> bytes:
    """A value with a right checksum, whatever the chunk is."""
    kind = channels + 64 * (itemsize - 1)
    digest = xxhash.xxh3_64_intdigest(bytes(chunk))
    return bytes(chunk) + struct.pack("<2sBBHHQ", b"AQ", 1, kind, height, width, digest)


def chunk_of(image: np.ndarray, **options: Any) -> bytearray:
    return bytearray(blosc2.compress2(image, typesize=image.itemsize, **options))


@pytest.mark.parametrize(
    "options",
    [
        {"codec": blosc2.Codec.LZ4},
        {"codec": blosc2.Codec.LZ4HC, "filters": [blosc2.Filter.BITSHUFFLE], "filters_meta": [0]},
        {"codec": blosc2.Codec.ZLIB},
        {"codec": blosc2.Codec.ZSTD, "blocksize": 1024},
        {"codec": blosc2.Codec.ZSTD, "filters": [blosc2.Filter.SHUFFLE], "filters_meta": [0]},
        {"codec": blosc2.Codec.ZSTD, "clevel": 0},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_other_codecs_and_blocks_are_read(options: dict[str, Any], dtype: str) -> None:
    image = RNG.integers(0, 9, (70, 90)).astype(dtype)
    value = signed(chunk_of(image, **options), 70, 90, itemsize=image.itemsize)
    np.testing.assert_array_equal(decode(value), image)


@pytest.mark.parametrize("options", [{"codec": blosc2.Codec.BLOSCLZ}, {"filters": [blosc2.Filter.TRUNC_PREC]}], ids=str)
def test_codecs_that_do_not_guard_themselves_are_refused(options: dict[str, Any]) -> None:
    image = RNG.integers(0, 9, (40, 40)).astype(np.float32)
    if "codec" in options:
        options |= {"filters": [blosc2.Filter.NOFILTER]}
    chunk = chunk_of(image, filters_meta=[10], **options)
    with pytest.raises(FormatError, match="codec or filter"):
        decode(signed(chunk, 40, 40, channels=4))


def patched(chunk: bytearray, offset: int, layout: str, *numbers: int) -> bytearray:
    chunk = bytearray(chunk)
    struct.pack_into(layout, chunk, offset, *numbers)
    return chunk


def bomb(image: np.ndarray) -> bytearray:
    """A chunk whose zstd frame claims more than its header."""
    frame = zstandard.compress(bytes(50_000_000))
    head = chunk_of(image, blocksize=image.nbytes)[:32]
    chunk = bytearray(head + struct.pack("<ii", 36, len(frame)) + frame)
    return patched(chunk, 12, "<i", len(chunk))


COMPRESSED = chunk_of(EXAMPLES["zstd"], codec=blosc2.Codec.ZSTD, blocksize=480, filters=[blosc2.Filter.NOFILTER])
LIES = {
    "another version": patched(COMPRESSED, 0, "<B", 6),
    "not extended": patched(COMPRESSED, 2, "<B", 0x90),
    "fewer bytes": patched(COMPRESSED, 4, "<i", 479),
    "larger than the value": patched(COMPRESSED, 12, "<i", len(COMPRESSED) + 1),
    "negative length": patched(COMPRESSED, 12, "<i", -1),
    "no pixels (NaN)": patched(COMPRESSED, 31, "<B", 2 << 4),
    "no pixels (not initialised)": patched(COMPRESSED, 31, "<B", 4 << 4),
    "block before the data": patched(COMPRESSED, 32, "<i", 8),
    "block before the chunk": patched(COMPRESSED, 32, "<i", -9),
    "block behind the chunk": patched(COMPRESSED, 32, "<i", 10_000_000),
    "block of another length": patched(COMPRESSED, 36, "<i", 10_000_000),
    "run of no byte": patched(COMPRESSED, 36, "<i", -256),
    "stored, but too short": patched(COMPRESSED, 2, "<B", 0x97),
    "not zstd": bytearray(COMPRESSED[:40] + bytes(len(COMPRESSED) - 40)),
    "zstd frame of 50 MB": bomb(EXAMPLES["zstd"]),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_under_a_right_checksum_is_caught(lie: str) -> None:
    assert decode(signed(COMPRESSED, 24, 20)).shape == (24, 20)
    with pytest.raises(FormatError):
        decode(signed(LIES[lie], 24, 20))


@pytest.mark.parametrize("nbytes", [MAX_IMAGE_BYTES + 1, 2**31 - 1, 0, -1])
def test_sizes_beyond_all_bounds_are_never_allocated(nbytes: int) -> None:
    with pytest.raises(UnsafeInputError):
        decode(signed(patched(COMPRESSED, 4, "<i", nbytes), 65_535, 65_535, 63, 2))


@given(st.binary(min_size=0, max_size=60), st.integers(16, len(COMPRESSED)))
@settings(max_examples=300, deadline=None)
def test_crafted_chunks_give_an_error_or_an_image(garbage: bytes, at: int) -> None:
    chunk = bytearray(COMPRESSED)
    chunk[max(at, 32) : max(at, 32) + len(garbage)] = garbage
    with contextlib.suppress(FormatError):
        assert decode(signed(chunk, 24, 20)).shape == (24, 20)


@pytest.mark.parametrize("kind", [0, 64, 129, 193])
def test_an_unknown_kind_is_refused(kind: int) -> None:
    value = bytearray(encode(EXAMPLES["zstd"]))
    value[-13] = kind
    with pytest.raises(FormatError, match="kind"):
        decode(bytes(value))


def test_a_newer_record_says_update() -> None:
    value = bytearray(encode(EXAMPLES["zstd"]))
    value[-14] = 2
    with pytest.raises(FormatError, match="update aqqua"):
        decode(bytes(value))


def test_the_message_says_where() -> None:
    with pytest.raises(FormatError, match="shard 7, key 3"):
        decode(bytes(100), where="shard 7, key 3")


def test_equal_images_have_equal_hashes_and_others_do_not() -> None:
    image = RNG.integers(0, 256, (6, 4), np.uint8)
    assert pixel_hash(image) == pixel_hash(np.asfortranarray(image)) == pixel_hash(image[:, :, None])
    wide = image.astype(np.uint16)
    assert pixel_hash(wide) == pixel_hash(wide.astype(">u2"))
    others = [image.reshape(4, 6), wide, image.reshape(6, 2, 2), image + np.uint8(1)]
    assert len({pixel_hash(other) for other in [image, *others]}) == 5
    suffix = struct.pack("<HHBB", 6, 4, 1, 1)
    assert pixel_hash(image) == xxhash.xxh3_64_intdigest(image.tobytes() + suffix)


def test_each_thread_has_a_decompressor_of_its_own() -> None:
    from threading import Thread

    value, failures = encode(EXAMPLES["zstd"]), []

    def work() -> None:
        for _ in range(300):
            if not np.array_equal(decode(value), EXAMPLES["zstd"]):
                failures.append(1)

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert chunk_module._decompressor() is chunk_module._decompressor()
