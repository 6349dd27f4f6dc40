/** The portable adapter, which needs neither a driver nor a browser's WebGPU. Its compiler is loaded when it is asked for. */
import { type AdapterDescription, type AdapterReport, type FoundAdapter, tellingLimits } from './host.ts';

/** Whether the adapter that is asked for can only be this one. */
export const isPortable = ({
  prefer,
  name,
}: {
  readonly prefer: string | null;
  readonly name: string | null;
}): boolean => prefer === 'portable' || (prefer === null && name?.toLowerCase() === 'portable');

const description = (why: string): AdapterDescription => ({
  name: 'portable',
  driver: 'WGSL compiled to WebAssembly',
  backend: 'WebAssembly',
  software: true,
  rung: 'portable',
  why,
});

/** `said`: how it was asked for. */
export async function portable(said: string): Promise<FoundAdapter> {
  const { isSupported, portableAdapter } = await import('../portable/index.ts');
  if (!isSupported()) {
    throw new Error(
      `${said}: this runtime has no WebAssembly with 128-bit vectors; use a newer one, or leave the choice open.`,
    );
  }
  return { adapter: portableAdapter(), description: description(`${said} asks for it`) };
}

/** Its line in the list of adapters. `said`: how it was asked for, if it was. */
export async function portableReport(said: string | null): Promise<AdapterReport> {
  const { isSupported, portableAdapter } = await import('../portable/index.ts');
  const { limits, features } = portableAdapter();
  return {
    ...description(said ? `${said} asks for it` : 'it is used where it is asked for'),
    available: isSupported(),
    used: false,
    source: 'this program',
    limits: tellingLimits(limits),
    features: [...features].sort(),
    advice: null,
  };
}
