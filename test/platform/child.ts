/** Runs programs that use the Node host in processes of their own, where the environment is fresh and a crash is seen. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly complaints: string;
}

export interface HostInChild {
  /** Runs a module in which `findAdapter` and `listAdapters` are imported; `undefined` in env unsets a variable. */
  run(
    program: string,
    options?: { env?: NodeJS.ProcessEnv; through?: readonly string[]; nodeOptions?: readonly string[] },
  ): Promise<Ended>;
  remove(): Promise<void>;
}

/** Variables that choose an adapter; children start without them. */
const CHOICES = [
  'VK_DRIVER_FILES',
  'VK_ICD_FILENAMES',
  'VK_ADD_DRIVER_FILES',
  'MTUNET_ADAPTER',
  'MTUNET_CACHE',
  'MTUNET_NO_SYSTEM_VULKAN',
  'MTUNET_THREADS',
];

/** Compiles src/platform/node.ts to one file that Node can run. It lies in node_modules, from where packages are found. */
export async function hostInChild(): Promise<HostInChild> {
  const folder = await mkdtemp(join(resolve('node_modules'), '.mtunet-host-'));
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: resolve('src/platform/node.ts'),
      outDir: folder,
      emptyOutDir: false,
      rolldownOptions: { output: { entryFileNames: 'host.mjs' } },
    },
  });
  const host = pathToFileURL(join(folder, 'host.mjs')).href;
  return {
    run(program, { env = {}, through = [], nodeOptions = [] } = {}) {
      const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !CHOICES.includes(name)));
      const text = `import { findAdapter, listAdapters } from ${JSON.stringify(host)};\n${program}`;
      const [command, ...args] = [...through, process.execPath, ...nodeOptions, '--input-type=module', '-e', text];
      return new Promise((ended, failed) => {
        const child = spawn(command, args, { env: { ...clean, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
        let output = '';
        let complaints = '';
        child.stdout.on('data', (chunk) => {
          output += chunk;
        });
        child.stderr.on('data', (chunk) => {
          complaints += chunk;
        });
        child.on('error', failed);
        child.on('close', (code, signal) => ended({ code, signal, output, complaints }));
      });
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The system's libvulkan.so.1, or null. */
export function systemVulkan(): string | null {
  const folders = [
    '/usr/lib/x86_64-linux-gnu',
    '/usr/lib64',
    '/usr/lib',
    '/lib/x86_64-linux-gnu',
    '/lib64',
    '/usr/local/lib',
  ];
  return folders.map((folder) => join(folder, 'libvulkan.so.1')).find((path) => existsSync(path)) ?? null;
}

/** A program that finds the adapter, computes the square of 12 on it, and prints what it used. */
export const COMPUTE = `
  const { adapter, description } = await findAdapter();
  const device = await adapter.requestDevice();
  const code = '@group(0) @binding(0) var<storage, read_write> x: array<f32>; @compute @workgroup_size(1) fn main() { x[0] = x[0] * x[0]; }';
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code }) } });
  const buffer = device.createBuffer({ size: 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
  const onHost = device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  device.queue.writeBuffer(buffer, 0, Float32Array.of(12));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer } }] }));
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, onHost, 0, 4);
  device.queue.submit([encoder.finish()]);
  await onHost.mapAsync(GPUMapMode.READ);
  const squared = new Float32Array(onHost.getMappedRange())[0];
  const { readFileSync } = await import('node:fs');
  const loader = process.platform === 'linux' ? readFileSync('/proc/self/maps', 'utf8').match(/\\/\\S*libvulkan\\.so\\S*/)?.[0] : '';
  console.log(JSON.stringify({ squared, loader, ...description }));
`;
