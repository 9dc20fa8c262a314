// Icons: 16 × 16, one stroke width, drawn here.

const PATHS = {
  pan: "M8 1.5v13M1.5 8h13M6.2 3.3 8 1.5l1.8 1.8M6.2 12.7 8 14.5l1.8-1.8M3.3 6.2 1.5 8l1.8 1.8M12.7 6.2 14.5 8l-1.8 1.8",
  lasso: "M8 2.2c3.4 0 6 1.7 6 3.9S11.4 10 8 10 2 8.3 2 6.1s2.6-3.9 6-3.9ZM4.6 9.2c-.9.6-.9 1.8.1 2.1 1 .3 1.7-.6 1.2-1.6M5 11.4c.6 1.2.4 2-.7 2.6",
  box: "M2.5 5V2.5H5M7 2.5h2M11 2.5h2.5V5M13.5 7v2M13.5 11v2.5H11M9 13.5H7M5 13.5H2.5V11M2.5 9V7",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10M6 8a2 2 0 1 0 4 0 2 2 0 0 0-4 0",
  images: "M2 3.5h9v9H2zM4.5 3.5V2H14v9h-3M2 10l2.6-2.6L8 10.8M7 9.6l1.4-1.3L11 11",
  names: "M2.5 4V2.8h11V4M8 2.8v10.4M6 13.2h4",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  back: "M9.5 3 4.5 8l5 5",
  next: "M6.5 3l5 5-5 5",
  down: "M3.5 6 8 10.5 12.5 6",
  filter: "M2 3.5h12M4.5 8h7M6.5 12.5h3",
  light: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1.2v1.6M8 13.2v1.6M1.2 8h1.6M13.2 8h1.6M3.2 3.2l1.1 1.1M11.7 11.7l1.1 1.1M12.8 3.2l-1.1 1.1M4.3 11.7l-1.1 1.1",
  dark: "M13.4 9.6A5.8 5.8 0 0 1 6.4 2.6a5.8 5.8 0 1 0 7 7Z",
  help: "M6 6a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4v.3M8 11.8v.2M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Z",
  export: "M8 2v7.5M5 6.8l3 3 3-3M2.5 11v2.5h11V11",
  similar: "M6 2.2a3.8 3.8 0 1 0 0 7.6 3.8 3.8 0 0 0 0-7.6ZM10 6.2a3.8 3.8 0 1 1-3.9 4.6",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.3 10.3l3.2 3.2",
  invert: "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8ZM8 1.8v12.4M8 4.5h3.5M8 8h6M8 11.5h3.5",
  up: "M3.5 10 8 5.5l4.5 4.5",
  link: "M6.5 9.5a2.6 2.6 0 0 0 3.7 0l2.5-2.5A2.6 2.6 0 0 0 9 3.3l-.7.7M9.5 6.5a2.6 2.6 0 0 0-3.7 0L3.3 9A2.6 2.6 0 0 0 7 12.7l.7-.7",
  check: "M3 8.5 6.5 12 13 4.5",
  ruler: "M1.5 5.5h13v5h-13zM4.5 5.5V8M7 5.5v1.7M9.5 5.5V8M12 5.5v1.7",
  ascending: "M4.5 13V3M2 5.5 4.5 3 7 5.5M9 4h2M9 8h3.5M9 12h5",
  descending: "M4.5 3v10M2 10.5 4.5 13 7 10.5M9 4h5M9 8h3.5M9 12h2",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

interface ButtonProps {
  icon: IconName;
  label: string;
  onClick: () => void;
  /** Shortcut shown in the tooltip. */
  keys?: string;
  pressed?: boolean;
  disabled?: boolean;
  class?: string;
}

/** A button that is only an icon; its name is in the tooltip and for screen readers. */
export function IconButton({ icon, label, onClick, keys, pressed, disabled, class: extra }: ButtonProps) {
  return (
    <button
      type="button" class={"icon-button " + (extra ?? "")} aria-label={label} title={keys ? `${label} (${keys})` : label}
      aria-pressed={pressed} aria-keyshortcuts={keys} disabled={disabled} onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

/** The mark: a centric diatom. */
export function Mark() {
  const spokes = Array.from({ length: 12 }, (_, i) => (i * Math.PI) / 6);
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <circle cx="16" cy="16" r="13" />
      <circle cx="16" cy="16" r="4.5" />
      {spokes.map((a) => (
        <line key={a} x1={16 + 7 * Math.cos(a)} y1={16 + 7 * Math.sin(a)} x2={16 + 13 * Math.cos(a)} y2={16 + 13 * Math.sin(a)} />
      ))}
    </svg>
  );
}
