"""The explorer: a local web application to see, search, select and hand over the images of datasets.

`serve` is the verb; `prepare` makes what is missing (map, clusters, neighbours); `server` puts the routes together.
"""
