/** Serves the recorded values to tests that run in a browser: /golden/files/PATH gives a file, /golden/names/FOLDER its listing. */
import { readdir, readFile } from 'node:fs/promises';
import { join, normalize, resolve, sep } from 'node:path';
import type { Plugin } from 'vite';

export function serveGolden(golden: string): Plugin {
  const root = resolve(golden);
  return {
    name: 'mtunet:serve-golden',
    configureServer(server) {
      server.middlewares.use('/golden', async (request, response, next) => {
        const [, verb, wanted = ''] =
          decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname).match(
            /^\/(files|names)\/(.*)$/,
          ) ?? [];
        const path = normalize(join(root, wanted));
        if (!verb || (path !== root && !path.startsWith(root + sep))) return next();
        try {
          const body =
            verb === 'files'
              ? await readFile(path)
              : JSON.stringify(
                  (await readdir(path, { withFileTypes: true }))
                    .filter((entry) => entry.isFile())
                    .map(({ name }) => name)
                    .sort(),
                );
          response.setHeader('content-type', verb === 'files' ? 'application/octet-stream' : 'application/json');
          response.end(body);
        } catch (problem) {
          response.statusCode = 404;
          response.end((problem as Error).message);
        }
      });
    },
  };
}
