"""The collection desk: who shares what, under which terms – from the sharing form to the dataset, and back out again.

Reading guide: `form.yaml` is the form (questions, help, examples) and `form` reads it; `answers` reads and checks what
people write; `advice` says how to transfer; `registry` keeps submissions and their history; `receipt` and `mail` tell
the contributor; `receive` fetches and ingests; `progress` counts; `withdraw` takes back; `web` shows all of it.
"""
