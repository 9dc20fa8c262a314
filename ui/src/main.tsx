// Where the page begins.

import { render } from "preact";

import { Dialogs } from "./dialogs.tsx";
import { failure } from "./failure.ts";
import { FilterPanel } from "./filterpanel.tsx";
import { Bar, Header } from "./header.tsx";
import { Icon } from "./icons.tsx";
import { EmbeddingMap } from "./map.tsx";
import { listenKeys } from "./shortcuts.ts";
import { Side } from "./side.tsx";
import { filtersOpen, start, stores, watchHash } from "./state.ts";

function App() {
  if (stores.value?.length === 0) return <><Header /><NoDataset /></>;
  return (
    <>
      <Header />
      <Bar />
      <main class={"panels" + (filtersOpen.value ? "" : " wide")}>
        {filtersOpen.value && <FilterPanel />}
        <EmbeddingMap />
        <Side />
      </main>
      <Failure />
      <Dialogs />
    </>
  );
}

function NoDataset() {
  return <main class="empty alone"><h2>No dataset is open</h2><p>Stop the server and name one:</p><code>aqqua explore DATASET</code></main>;
}

function Failure() {
  const wrong = failure.value;
  if (!wrong) return null;
  return (
    <div class="failure" role="alert">
      <span><strong>{wrong.message}</strong> {wrong.act}</span>
      <button type="button" class="button" onClick={() => location.reload()}>Retry</button>
      <button type="button" class="button quiet" aria-label="Dismiss" onClick={() => (failure.value = null)}><Icon name="close" /></button>
    </div>
  );
}

if (innerWidth < 1000) filtersOpen.value = false;
render(<App />, document.getElementById("app")!);
listenKeys();
watchHash();
void start();
