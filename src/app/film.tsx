/** A film with a map over it. Pointing at it, or moving over it with the arrow keys, tells the value of the map. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { type MapName, paint } from './pictures.ts';

interface FilmProps {
  readonly image: Float32Array;
  readonly map: Float32Array | null;
  readonly height: number;
  readonly width: number;
  readonly colours?: MapName;
  /** Painted already. */
  readonly drawing?: ImageData;
  readonly label: string;
}

export function FilmView({ image, map, height, width, colours = 'viridis', drawing, label }: FilmProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [at, setAt] = useState<readonly [number, number] | null>(null);
  useEffect(
    () => paint(canvas.current, drawing ?? { image, map, height, width, colours }),
    [image, map, height, width, colours, drawing],
  );
  const point = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const place = (from: number, size: number, count: number) =>
      Math.min(count - 1, Math.max(0, Math.floor((from / size) * count)));
    setAt([place(event.clientX - box.left, box.width, width), place(event.clientY - box.top, box.height, height)]);
  };
  const move = (event: KeyboardEvent) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const [x, y] = at ?? [width >> 1, height >> 1];
    setAt([Math.min(width - 1, Math.max(0, x + way[0])), Math.min(height - 1, Math.max(0, y + way[1]))]);
  };
  const index = at && at[1] * width + at[0];
  return (
    <span class="film">
      <canvas
        ref={canvas}
        width={width}
        height={height}
        role="img"
        aria-label={label}
        tabIndex={0}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={() => setAt(null)}
        onKeyDown={move}
        onBlur={() => setAt(null)}
      />
      <output class="readout">
        {at && index !== null
          ? `(${at[0]}, ${at[1]}) ${map ? map[index].toExponential(1) : image[index].toFixed(2)}`
          : '\u00a0'}
      </output>
    </span>
  );
}
