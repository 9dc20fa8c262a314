// One image at true scale: the bar is drawn over it, never into it; contrast is only how it is shown.

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { area, number } from "./format.ts";
import { IconButton } from "./icons.tsx";
import { NEUTRAL, percentiles, scaleBar, stretch, toneFilter, type Tone } from "./scalebar.ts";
import { api } from "./state.ts";
import type { Item } from "./types.ts";

export function Viewer({ shown }: { shown: Item }) {
  const { width, height, pixel_um } = shown.converted as Record<string, number | string | null>;
  const [w, h] = [Number(width) || 1, Number(height) || 1];
  const box = useRef<HTMLDivElement>(null);
  const image = useRef<HTMLImageElement>(null);
  const room = useSignal<[number, number]>([320, 280]);
  const tone = useSignal<Tone>(NEUTRAL);
  const channel = useSignal<string | undefined>(undefined);
  const ready = useSignal(false);
  const zoom = useSignal(1);

  useLayoutEffect(() => {
    const watch = new ResizeObserver(() => (room.value = [box.current!.clientWidth, box.current!.clientHeight]));
    watch.observe(box.current!);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    tone.value = NEUTRAL;
    channel.value = undefined;
    zoom.value = 1;
  }, [shown.uid]);

  const fit = Math.min((room.value[0] - 24) / w, (room.value[1] - 48) / h, 8);
  const scale = Math.max(0.02, fit * zoom.value);
  const bar = pixel_um ? scaleBar(Number(pixel_um) / scale, Math.min(160, room.value[0] * 0.4)) : null;
  const names = shown.channels ?? [];
  const auto = () => (tone.value = { ...tone.value, ...stretch(...greyRange(image.current!)) });

  return (
    <figure class="viewer">
      <div ref={box} class="stage" tabIndex={zoom.value > 1 ? 0 : undefined} aria-label={zoom.value > 1 ? "Image, scrolls" : undefined}>
        <img ref={image} key={shown.uid} class={(ready.value ? "" : "waiting") + (scale >= 5 ? " crisp" : "")} src={api.value!.image(shown.uid, channel.value)} alt="The image" data-testid="image"
          width={Math.round(w * scale)} height={Math.round(h * scale)} style={{ filter: toneFilter(tone.value) }} onLoad={() => (ready.value = true)} />
      </div>
      {bar && (
        <div class="scale-bar" data-testid="scale-bar" data-um={bar.um}>
          <span class="bar-line" style={{ width: `${bar.px.toFixed(2)}px` }} /><span>{bar.text}</span>
        </div>
      )}
      <figcaption>
        <span>{pixel_um ? area(w * Number(pixel_um), h * Number(pixel_um)) : "no pixel size"} · {w} × {h} px</span>
        <span class="spacer" />
        <IconButton icon="minus" label="Smaller" onClick={() => (zoom.value = Math.max(0.25, zoom.value / 1.5))} />
        <span class="zoom" title="Screen pixels for one image pixel">{number(scale, 2)}×</span>
        <IconButton icon="plus" label="Larger" onClick={() => (zoom.value = Math.min(8, zoom.value * 1.5))} />
      </figcaption>
      <div class="tone">
        <Slider label="Brightness" value={tone.value.brightness} least={0.2} most={4} onSet={(v) => (tone.value = { ...tone.value, brightness: v })} />
        <Slider label="Contrast" value={tone.value.contrast} least={0.2} most={6} onSet={(v) => (tone.value = { ...tone.value, contrast: v })} />
        <button type="button" class="button" title="Stretch grey values to black and white" onClick={auto}>Auto</button>
        <IconButton icon="invert" label="Invert" pressed={tone.value.invert} onClick={() => (tone.value = { ...tone.value, invert: !tone.value.invert })} />
        <button type="button" class="button quiet" disabled={tone.value === NEUTRAL} onClick={() => (tone.value = NEUTRAL)}>Reset</button>
      </div>
      {names.length > 1 && (
        <label class="chooser channel"><span>Channel</span>
          <select value={channel.value ?? ""} aria-label="Channel" onChange={(e) => (channel.value = e.currentTarget.value || undefined)}>
            <option value="">all</option>
            {names.map((name) => <option key={name} value={name}>{/^\d+$/.test(name) ? `channel ${Number(name) + 1}` : name}</option>)}
          </select>
        </label>
      )}
    </figure>
  );
}

/** Grey values between which all but a hundredth of the pixels lie. */
function greyRange(image: HTMLImageElement): [number, number] {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.min(512, image.naturalWidth || 1), Math.min(512, image.naturalHeight || 1)];
  const pen = canvas.getContext("2d", { willReadFrequently: true })!;
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  return percentiles(pen.getImageData(0, 0, canvas.width, canvas.height).data);
}

function Slider({ label, value, least, most, onSet }: { label: string; value: number; least: number; most: number; onSet: (v: number) => void }) {
  const log = (v: number) => Math.log(v / least) / Math.log(most / least);
  return (
    <label class="slider" title={label}><span>{label}</span>
      <input type="range" min="0" max="1" step="0.01" value={log(Math.max(least, Math.min(most, value)))} aria-valuetext={number(value, 2)} onInput={(e) => onSet(least * (most / least) ** Number(e.currentTarget.value))} />
    </label>
  );
}

