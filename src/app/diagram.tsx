/** MT-UNet as a picture: every stage with its shape and its parameters; a click chooses it. */
import type { Stage } from './live/protocol.ts';
import { thousands } from './numbers.ts';

interface Box {
  /** Parts of the network under state_dict names. */
  readonly parts: readonly string[];
  readonly title: string;
  /** C x H x W, or the length. */
  readonly shape: readonly number[];
  readonly x: number;
  readonly level: number;
  readonly look: string;
}

const LEVELS = 5;
const [WIDE, HIGH, STEP_X, STEP_Y, HEADS] = [112, 38, 52, 48, 594];

interface Size {
  readonly base: number;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
}

function boxesOf({ base, height, width, classes }: Size): Box[] {
  const shapeAt = (level: number) => [base * 2 ** level, height / 2 ** level, width / 2 ** level];
  const encoder = Array.from({ length: LEVELS }, (_, level) => ({
    parts: [`Conv${level + 1}`],
    title: level === LEVELS - 1 ? 'bottleneck' : `encoder ${level + 1}`,
    shape: shapeAt(level),
    // The bottleneck in the middle.
    x: STEP_X * level + (level === LEVELS - 1 ? 12 : 0),
    level,
    look: 'encoder',
  }));
  const decoder = Array.from({ length: LEVELS - 1 }, (_, level) => ({
    parts: [`Up${level + 2}`, `Up_conv${level + 2}`],
    title: `decoder ${level + 1}`,
    shape: shapeAt(level),
    x: 2 * STEP_X * (LEVELS - 1) + 28 - STEP_X * level,
    level,
    look: 'decoder',
  }));
  const heads = [
    { parts: ['out_conv_image', 'out_conv'], title: 'saliency', shape: [height, width], level: 0, look: 'saliency' },
    { parts: ['out_classification'], title: 'diagnosis', shape: [classes], level: 2.4, look: 'diagnosis' },
  ];
  return [...encoder, ...decoder, ...heads.map((head) => ({ ...head, x: HEADS }))];
}

export function Diagram({
  size,
  stages,
  chosen,
  onChoose,
}: {
  size: Size;
  /** Parameters of each part of the network; empty before they are known. */
  stages: readonly Stage[];
  /** Part of the operation that is shown. */
  chosen: string | null;
  /** Null where there is nothing to choose from. */
  onChoose: ((parts: readonly string[]) => void) | null;
}) {
  const boxes = boxesOf(size);
  const at = (level: number, of: 'encoder' | 'decoder') =>
    boxes.find((box) => box.level === level && box.look === of) ?? boxes[LEVELS - 1];
  const middle = (level: number) => 8 + STEP_Y * level + HIGH / 2;
  return (
    <svg class="diagram" viewBox="-1 0 708 244" role="group" aria-label="MT-UNet, stage by stage">
      <title>
        Encoder of five levels, decoder of four with skip connections; the saliency reads the top, the diagnosis the
        bottleneck and the top.
      </title>
      {Array.from({ length: LEVELS - 1 }, (_, level) => {
        const [left, right, below] = [at(level, 'encoder'), at(level, 'decoder'), at(level + 1, 'decoder')];
        const down = left.x + WIDE - 20;
        return (
          <g key={level}>
            <path class="arrow" d={`M${left.x + WIDE} ${middle(level)}H${right.x}`} />
            <path class="arrow" d={`M${down} ${middle(level) + HIGH / 2}V${middle(level + 1) - HIGH / 2}`} />
            <path
              class="arrow"
              d={`M${Math.min(below.x + WIDE, right.x + WIDE) - 20} ${middle(level + 1) - HIGH / 2}V${middle(level) + HIGH / 2}`}
            />
          </g>
        );
      })}
      <path class="arrow saliency" d={`M${at(0, 'decoder').x + WIDE} ${middle(0)}H${HEADS}`} />
      <path
        class="arrow diagnosis"
        d={`M${at(0, 'decoder').x + WIDE - 8} ${middle(0) + HIGH / 2}V${middle(2.4) - 8}H${HEADS}M${at(4, 'encoder').x + WIDE} ${middle(4)}H${HEADS - 14}V${middle(2.4) + 8}H${HEADS}`}
      />
      {boxes.map((box) => {
        const known = stages.filter(({ name }) => box.parts.includes(name));
        const parameters = known.reduce((total, stage) => total + stage.parameters, 0);
        const count = known.length ? `${thousands(parameters)} parameters` : '';
        const isChosen = chosen !== null && box.parts.includes(chosen.split('.')[0]);
        const y = 8 + STEP_Y * box.level;
        const choose = onChoose && (() => onChoose(box.parts));
        return (
          <g
            key={box.title}
            class={`block ${box.look}${isChosen ? ' chosen' : ''}${choose ? ' live' : ''}`}
            transform={`translate(${box.x} ${y})`}
            aria-label={`${box.title}: ${box.shape.join(' × ')}${count && `, ${count}`}`}
            {...(choose
              ? {
                  role: 'button',
                  tabIndex: 0,
                  'aria-pressed': isChosen,
                  onClick: choose,
                  onKeyDown: (e: KeyboardEvent) => {
                    if (e.key !== 'Enter' && e.key !== ' ') return;
                    e.preventDefault();
                    choose();
                  },
                }
              : { role: 'img' })}
          >
            <rect width={WIDE} height={HIGH} rx="7" />
            <text x={WIDE / 2} y="16" text-anchor="middle">
              {box.title}
            </text>
            <text class="shape" x={WIDE / 2} y="30" text-anchor="middle">
              {box.shape.join(' × ')}
              {count && ` · ${compact(parameters)}`}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

const compact = (count: number) =>
  count < 1000 ? String(count) : `${(count / 1000).toFixed(count < 10_000 ? 1 : 0)}k`;
