// Writes src/app/public/recorded.json: the run that the app plays back where there is no WebGPU.
import { writeFile } from 'node:fs/promises';
import { createServer, defaultServerConditions } from 'vite';

const conditions = ['mtunet-source', ...defaultServerConditions];
const server = await createServer({
  configFile: 'src/app/vite.config.ts',
  server: { middlewareMode: true, hmr: false, ws: false },
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  optimizeDeps: { noDiscovery: true },
});
try {
  const { record } = await server.ssrLoadModule('/record.ts');
  const recording = await record();
  await writeFile('src/app/public/recorded.json', JSON.stringify(recording));
  const last = recording.epochs.map((list) => list.at(-1));
  console.log(`${recording.rows[0].length} steps on ${recording.adapter}`, JSON.stringify(last));
} finally {
  await server.close();
}
process.exit(0);
