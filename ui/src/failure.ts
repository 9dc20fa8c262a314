// What went wrong last, in words for the reader.

import { signal } from "@preact/signals";

import { isAbort, ServerError } from "./api.ts";

export const failure = signal<ServerError | null>(null);

/** Shows what went wrong; a request given up is nothing wrong. */
export function report(error: unknown): void {
  if (isAbort(error)) return;
  failure.value = error instanceof ServerError ? error : new ServerError(0, String(error instanceof Error ? error.message : error), "Reload the page.");
}
