"""Speak with an EcoTaxa server: who may see which project, its objects and images, and predictions back.

`connect` in `login` makes a client from address and token; `client` knows the addresses of the API and nothing else;
what a verb does is a function of its own (`projects`, `rights`). Nothing here is imported by `import aqqua`: it needs
`aqqua[ecotaxa]`.
"""
