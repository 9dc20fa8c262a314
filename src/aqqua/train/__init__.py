"""Self-supervised training: configuration, data, augmentation, objective, loop, and the verb `train`."""

from aqqua.callable import make_callable

make_callable(__name__, "aqqua.train.run:train")
