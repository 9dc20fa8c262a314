"""The packages that were uploaded when the real server was recorded, made anew: one function or entry per zip."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

from PIL import Image

from tests.ecotaxa_double.state import World

__all__ = ["package", "repack", "rows_of", "tsv", "zipped"]

Row = dict[str, Any]
NUMBERS = {
    *("object_lat", "object_lon", "object_date", "object_time", "object_depth_min", "object_depth_max"),
    *("object_area", "object_aqqua_score", "img_rank", "object_annotation_category_id"),
}
STATUS, TAXON, NAME = "object_annotation_status", "object_annotation_category_id", "object_annotation_category"


def row(number: int, sample: Any = "s1", **more: Any) -> Row:
    """One object as in the recording; a value of None removes the column."""
    made: Row = {
        "img_file_name": f"obj_{number}.png",
        "object_id": f"obj_{number}",
        "object_lat": round(43.68 + number / 1000, 3),
        "object_lon": 7.31,
        "object_date": "20230514",
        "object_time": "093015",
        "object_depth_min": 0,
        "object_depth_max": 75.5,
        "object_area": 100.5 + number,
        "object_aqqua_score": "",
        "object_aqqua_model": "",
        "sample_id": sample,
        "sample_tot_vol": 12.5,
        "acq_id": f"{sample}_acq",
        "acq_instrument": "Zooscan",
        "acq_pixel": 10.6,
        "acq_sub_part": 4,
        "process_id": f"{sample}_proc",
        "process_pixel": 0.0106,
        **more,
    }
    return {name: value for name, value in made.items() if value is not None}


def tsv(
    rows: list[Row], *, types: bool = True, encoding: str = "utf-8-sig", kinds: dict[str, str] | None = None
) -> bytes:
    """Rows as a table; columns are those of all rows."""
    names = list(dict.fromkeys(name for line in rows for name in line))
    lines = [names]
    if types:
        lines.append([(kinds or {}).get(name, "[f]" if name in NUMBERS else "[t]") for name in names])
    lines += [[str(line.get(name, "")) for name in names] for line in rows]
    return ("\n".join("\t".join(line) for line in lines) + "\n").encode(encoding)


def zipped(files: dict[str, bytes]) -> bytes:
    """Files as a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, data in files.items():
            file.writestr(name, data)
    return out.getvalue()


def repack(data: bytes, change: Callable[[str], str]) -> bytes:
    """A zip with the texts of its tables changed."""
    files = {}
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        for name in opened.namelist():
            inside = opened.read(name)
            files[name] = change(inside.decode("utf-8-sig")).encode("utf-8-sig") if name.endswith(".tsv") else inside
    return zipped(files)


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 50), mode: str = "L") -> bytes:
    """A small image file."""
    out = io.BytesIO()
    Image.new(mode, size, 1).save(out, kind)
    return out.getvalue()


def rows_of(*rows: Row, name: str = "ecotaxa_test.tsv", **options: Any) -> bytes:
    """A zip with a table and the images it names."""
    files = {name: tsv(list(rows), **options)}
    for line in rows:
        if image := line.get("img_file_name"):
            files[image] = picture(size=(900, 700) if image == "obj_7.png" else (60, 50))
    return zipped(files)


def first_import() -> bytes:
    """Seven images of six objects in all states, with a person and a taxon that are unknown."""
    bob = {"object_annotation_person_name": "Bob Annotator", "object_annotation_person_email": "bob@lab.test"}
    someone = {
        "object_annotation_person_name": "Someone Unknown",
        "object_annotation_person_email": "someone@else.test",
    }
    return rows_of(
        row(1),
        row(2, **{STATUS: "predicted", NAME: "Cyclopoida", TAXON: 45072, "object_aqqua_score": 0.87}),
        row(3, **{STATUS: "validated", NAME: "detritus", **bob}),
        row(4, "s2", **{STATUS: "dubious", NAME: "copepod unknown name", **someone}),
        row(5, "s2"),
        row(6, "s2"),
        row(5, "s2", img_file_name="obj_7.png"),
    )


def minimal(number: int, **more: Any) -> bytes:
    """An update without images and without anything that stays as it is."""
    return zipped({"ecotaxa_test.tsv": tsv([{"object_id": f"obj_{number}", **more}])})


def bad(number: Any = 99, **more: Any) -> bytes:
    """One row with something wrong."""
    return rows_of(row(number, img_file_name="obj_1.png", **more))


def image_kind(number: int, name: str, kind: str, mode: str = "L") -> bytes:
    """An image of another format."""
    line = row(number, img_file_name=name)
    return zipped({"ecotaxa_test.tsv": tsv([line]), name: picture(kind, (40, 30), mode)})


def without_image() -> bytes:
    return zipped({"ecotaxa_test.tsv": tsv([row(10, img_file_name="nope.png")])})


def uvp6() -> bytes:
    """Fifteen vignettes in a zip inside the zip; positions in degrees, minutes and seconds."""
    names = [("20200205-111823_3", 60, 54), ("20200205-111825_1", 51, 36), ("20200205-111826_1", 42, 57)]
    names += [(f"20200205-1119{number}_1", 40, 40) for number in range(10, 22)]
    place: Row = {"object_lat": "43°0 0", "object_lon": "17°0 0", "object_date": "20200205"}
    rows: list[Row] = []
    inner = {"compute_vignette.txt": b"pixel_size=73\n"}
    for name, width, height in names:
        depth: Row = {"object_depth_min": 194.63, "object_depth_max": 194.63, "object_time": name[9:15]}
        parents: Row = {"sample_id": "uvp_s", "acq_id": "uvp_a", "acq_instrument": "UVP6", "process_id": "uvp_p"}
        rows.append({"img_file_name": f"sub1/{name}.png", "object_id": name, **place, **depth, **parents})
        inner[f"sub1/{name}.png"] = picture(size=(width, height))
    inner["ecotaxa_20200205.tsv"] = tsv(rows)
    return zipped({"20200205_Images.zip": zipped(inner)})


def bad_date(name: str, number: int) -> dict[str, bytes]:
    return {name: tsv([row(number, img_file_name="obj_1.png", object_date="bad")]), "obj_1.png": picture()}


def latin1_degrees() -> bytes:
    """UTF-8 without a byte order mark: the degree sign is read as two characters."""
    line = row(6, object_id="dm", object_lat="43°30 30", object_lon="-7°15 0", object_time="9:30:15")
    return rows_of(line, encoding="utf-8")


def long_header() -> bytes:
    texts = {f"object_t{number}": "x" for number in range(25)}
    return bad(15, **texts)


def two_samples_of_one_acquisition() -> bytes:
    return rows_of(row(1, "s8", object_id="a", acq_id="ACQX"), row(2, "s9", object_id="b", acq_id="ACQX"))


def no_types() -> bytes:
    return rows_of(row(12, img_file_name="obj_1.png"), types=False)


PREDICTED: Row = {STATUS: "predicted", TAXON: 85011}
PACKAGES: dict[str, Callable[[], bytes]] = {
    "import_new_asks": first_import,
    "import_pub": lambda: rows_of(row(1), row(2)),
    "import_open": lambda: rows_of(row(1), row(2)),
    "update_cla_predicted": lambda: rows_of(
        row(1, **PREDICTED, object_aqqua_score=0.66),
        row(3, **{STATUS: "predicted", TAXON: 45072}, object_aqqua_score=0.5),
    ),
    "update_yes_no_classif": lambda: minimal(5, object_aqqua_score=0.77, **PREDICTED),
    "update_cla_minimal_cols": lambda: minimal(6, **PREDICTED),
    "update_cla_unknown_object": lambda: minimal(1000, **PREDICTED),
    "update_cla_on_validated": lambda: rows_of(row(5, "s2", **PREDICTED)),
    "err_missing_image": without_image,
    "err_bad_date_lat": lambda: bad(object_lat=120, object_lon="abc", object_date="14/05/2023", object_time="99"),
    "err_status_no_category": lambda: bad(**{STATUS: "predicted", NAME: ""}),
    "err_category_no_status": lambda: bad(14, **{NAME: "detritus", TAXON: 84963}),
    "err_both_category_cols_name_empty": lambda: bad(**{STATUS: "predicted", NAME: "", TAXON: 45072}),
    "err_ok_only_category_id_col": lambda: bad(28, **{STATUS: "predicted", TAXON: 45072}),
    "err_ok_utf8_nobom_accents": lambda: rows_of(
        row(29, img_file_name="obj_1.png", object_aqqua_model="modèle-é"), encoding="utf-8"
    ),
    "err_ok_utf8_bom_accents": lambda: bad(30, object_aqqua_model="modèle-é"),
    "err_unknown_category_id": lambda: bad(**{STATUS: "predicted", TAXON: 987654}),
    "err_bad_status": lambda: bad(**{STATUS: "maybe"}),
    "err_no_types_row": no_types,
    "err_bad_prefix": lambda: bad(foo_bar=1, noprefix=2),
    "err_bad_type": lambda: rows_of(row(1, object_new=1), kinds={"object_new": "[n]"}),
    "err_dup_object": lambda: rows_of(row(1)),
    "err_dup_object_skip": lambda: rows_of(row(1), row(2, object_id="obj_20")),
    "err_wrong_tsv_name": lambda: rows_of(row(1), name="table.tsv"),
    "err_too_many_text_cols": long_header,
    "err_same_acq_two_samples": two_samples_of_one_acquisition,
    "err_no_sample_id_but_cols": lambda: bad(sample_id=None),
    "err_bad_zip_sub_dirs_ok": lambda: zipped(
        {"d/ecotaxa_test.tsv": tsv([row(26, img_file_name="obj_1.png")]), "d/obj_1.png": picture()}
    ),
    "err_imgfmt_f_jpg_jpg": lambda: image_kind(40, "f_jpg.jpg", "JPEG"),
    "err_imgfmt_f_jpeg_jpeg": lambda: image_kind(41, "f_jpeg.jpeg", "JPEG"),
    "err_imgfmt_f_gif_gif": lambda: image_kind(42, "f_gif.gif", "GIF"),
    "err_imgfmt_f_tif_tif": lambda: image_kind(43, "f_tif.tif", "TIFF"),
    "err_imgfmt_f_tiff_tiff": lambda: image_kind(44, "f_tiff.tiff", "TIFF"),
    "err_imgfmt_f_bmp_bmp": lambda: image_kind(45, "f_bmp.bmp", "BMP"),
    "err_imgfmt_f_webp_webp": lambda: image_kind(46, "f_webp.webp", "WEBP"),
    "err_imgfmt_f_png16_png": lambda: image_kind(47, "f_png16.png", "PNG", "I;16"),
    "err_imgfmt_f_png1_png": lambda: image_kind(48, "f_png1.png", "PNG", "1"),
    "err_imgfmt_sub_f_sub_png": lambda: rows_of(row(49, img_file_name="sub/f_sub.png")),
    "annotator_import": lambda: rows_of(row(50, img_file_name="obj_1.png")),
    "x_long_text": lambda: rows_of(row(1, object_aqqua_model="m" * 300)),
    "x_dup_id_two_samples": lambda: rows_of(row(2, "sA"), row(2, "sB", img_file_name="obj_3.png")),
    "x_nan_inf_comma": lambda: rows_of(row(4, object_area="inf"), row(5, object_area="NaN", object_lat="NaN")),
    "x_comma_decimal": lambda: rows_of(row(6, object_area="1,5")),
    "x_deg_min": latin1_degrees,
    "x_deg_min_ok": lambda: rows_of(
        row(6, object_id="dm2", object_lat="43°30 30", object_lon="-7°15 0", object_time="930")
    ),
    "x_discarded": lambda: rows_of(row(1, object_id="disc", **{STATUS: "discarded", TAXON: 84963})),
    "x_uvp6": uvp6,
    "y_first_bad": lambda: zipped(bad_date("ecotaxa_one.tsv", 1)),
    "y_second_same_zip_name": lambda: rows_of(row(2), name="ecotaxa_two.tsv"),
    "y_third_new_name": lambda: rows_of(row(2), name="ecotaxa_two.tsv"),
    "y_nested_same_name": lambda: zipped({"y_nest/ecotaxa_n.tsv": tsv([row(3)]), "y_nest/obj_3.png": picture()}),
    "y_update_wrong_sample": lambda: rows_of(row(2, "elsewhere", **{STATUS: "predicted", TAXON: 45072})),
    "upload_bad_mime": lambda: b"MZ",
    "tus_up": lambda: rows_of(row(60)),
}
EXPORTED = {
    "rt_export_manager_backup": (8, None),
    "rt_export_manager_general_allimg": (7, None),
    "rt_export_general_first_split_sample": (12, None),
    "rt_export_legacy_DOI_img": (16, None),
    "rt_export_general_only_annotations": (15, None),
    "rt_annot_update_cla": (15, None),
    "x_rt_general_nohier": (7, "object_annotation_hierarchy"),
}
"""Exports of the double itself that are imported again: the job, and a column that is taken out first."""


def package(label: str, world: World) -> bytes:
    """The zip of a recorded upload."""
    if label not in EXPORTED:
        return PACKAGES[label]()
    job, without = EXPORTED[label]
    return repack(world.jobs[job].file, lambda text: _without(text, without) if without else text)


def _without(text: str, column: str) -> str:
    lines = [line.split("\t") for line in text.rstrip("\n").split("\n")]
    at = lines[0].index(f'"{column}"')
    return "\n".join("\t".join(line[:at] + line[at + 1 :]) for line in lines) + "\n"
