"""The environment on a grid (verb `aqqua map env`): from files of others to a cube of predictors.

Reading guide: `gridded` finds axes, months and units in a file and puts it on the grid of the cube, `layers` takes
means over depth layers, `water` knows density, mixed layer and stratification, `surroundings` the distance to the
coast, `build` is the verb, and `sources` knows where files can be fetched from – nothing is fetched unasked.
"""

from aqqua.maps.environment.build import EnvReport, build

__all__ = ["EnvReport", "build"]
