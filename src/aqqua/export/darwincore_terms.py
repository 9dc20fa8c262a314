"""The words of Darwin Core archives: columns with their addresses, measurements with those of NERC's vocabularies.

An address stands here only where it was seen in use for the very same thing: measurements and units as EcoTaxa's own
Darwin Core export has them, instruments as EcoTaxa's table of instruments has them (both github.com/ecotaxa). What has
no evidence has no address, and goes out with words alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = [
    "EMOF",
    "EVENT",
    "INSTRUMENTS",
    "IN_SITU",
    "LSID",
    "MEASURES",
    "OCCURRENCE",
    "ROW_TYPES",
    "Measure",
]

_DWC = "http://rs.tdwg.org/dwc/terms/"
_DC = "http://purl.org/dc/terms/"
_OBIS = "http://rs.iobis.org/obis/terms/"
_NERC = "http://vocab.nerc.ac.uk/collection"
LSID = "urn:lsid:marinespecies.org:taxname:"

ROW_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "event": f"{_DWC}Event",
        "occurrence": f"{_DWC}Occurrence",
        "emof": f"{_OBIS}ExtendedMeasurementOrFact",
    }
)
"""Table → what a row of it is (the last is OBIS's, which leads from a measurement to its occurrence)."""


def _terms(names: str, **others: str) -> Mapping[str, str]:
    return MappingProxyType({name: others.get(name, f"{_DWC}{name}") for name in names.split()})


EVENT: Mapping[str, str] = _terms(
    """eventID parentEventID eventType eventDate decimalLatitude decimalLongitude geodeticDatum
    coordinateUncertaintyInMeters minimumDepthInMeters maximumDepthInMeters minimumElevationInMeters
    maximumElevationInMeters samplingProtocol sampleSizeValue sampleSizeUnit habitat eventRemarks datasetName
    datasetID institutionCode license""",
    license=f"{_DC}license",
)
"""Columns of the Event core → their addresses."""

OCCURRENCE: Mapping[str, str] = _terms(
    """eventID occurrenceID occurrenceStatus basisOfRecord scientificName scientificNameID taxonRank
    verbatimIdentification individualCount organismQuantity organismQuantityType lifeStage sex occurrenceRemarks
    identificationVerificationStatus identifiedBy identificationReferences identificationRemarks associatedMedia"""
)
"""Columns of the Occurrence extension; the first leads to the event."""

EMOF: Mapping[str, str] = _terms(
    """eventID occurrenceID measurementID measurementType measurementTypeID measurementValue measurementValueID
    measurementUnit measurementUnitID measurementMethod""",
    measurementTypeID=f"{_OBIS}measurementTypeID",
    measurementValueID=f"{_OBIS}measurementValueID",
    measurementUnitID=f"{_OBIS}measurementUnitID",
)
"""Columns of the measurements; the first leads to the event, the second, if there is one, to the occurrence."""


@dataclass(frozen=True)
class Measure:
    """A kind of measurement.

    Args:
        name: `measurementType`.
        type_id: its address; empty where none is evidenced.
        unit: in words.
        unit_id: its address.
        method: how it was found.
    """

    name: str
    type_id: str = ""
    unit: str = ""
    unit_id: str = ""
    method: str = ""


def _p01(code: str) -> str:
    return f"{_NERC}/P01/current/{code}/"


def _p06(code: str) -> str:
    return f"{_NERC}/P06/current/{code}/"


_WATER = "biological entity specified elsewhere per unit volume of the water body"
MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "count": Measure(
            "Count (in assayed sample) of biological entity specified elsewhere",
            _p01("OCOUNT01"),
            method="individuals imaged and named so; images of one individual count once",
        ),
        "abundance": Measure(
            f"Abundance of {_WATER}",
            _p01("SDBIOL01"),
            "Number per cubic metre",
            _p06("UPMM"),
            "count × subsample factor / water volume",
        ),
        "volume": Measure("Volume sampled of the water body", _p01("VOLWBSMP"), "Cubic metres", _p06("MCUB")),
        "factor": Measure("Subsample factor", "", "Dimensionless", _p06("UUUU"), "counts are multiplied by it"),
        "images": Measure("Number of individuals imaged", method="images of one individual count once"),
        "unnamed": Measure("Number of individuals imaged without a name in this archive"),
        "size": Measure(
            "Longest side of the image of an individual (median)",
            "",
            "Micrometres (microns)",
            _p06("UMIC"),
            "longer side of the cut-out × pixel size: an upper bound of the length",
        ),
        "confidence": Measure("Confidence of the classifier (mean)", method="mean of what it gave to its first choice"),
        "sampler": Measure("Name of sampling instrument", _p01("NMSPINST")),
        "analyser": Measure("Analytical instrument name", _p01("NMANINST")),
        "pixel": Measure("Pixel size (median)", "", "Micrometres (microns)", _p06("UMIC"), "length in the water"),
    }
)
"""What is measured, by short names."""

_TOOLS = {
    "CPICS": "1582", "CytoSense": "1209", "FlowCam": "1583", "IFCB": "1588", "ISIIS": "1561", "LISST-Holo": "1585",
    "LOKI": "1586", "PlanktoScope": "1579", "UVP5": "1577", "UVP6": "1578", "VPR": "1584", "ZooCam": "1587",
    "ZooScan": "1581",
}  # fmt: skip
INSTRUMENTS: Mapping[str, str] = MappingProxyType(
    {name: f"{_NERC}/L22/current/TOOL{code}/" for name, code in _TOOLS.items()}
)
"""Instrument → its address in the SeaVoX device catalogue, where one is known."""

IN_SITU = frozenset({"CPICS", "IFCB", "ISIIS", "LISST-Holo", "LOKI", "Planktivore", "SPC", "UVP5", "UVP6", "VPR"})
"""Instruments that take the sample themselves; the others look at one that something else took."""
