/** The file behind --config. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { foreignFile } from '../data/foreign-file.ts';
import { UsageError } from './failure.ts';
import { readYaml } from './yaml.ts';

export function readConfigFile(path: string): unknown {
  let text: string;
  try {
    const bytes = readFileSync(path);
    const foreign = foreignFile(bytes);
    if (foreign) throw new Error(`it ${foreign}`);
    text = bytes.toString('utf8');
  } catch (error) {
    throw new UsageError(`--config ${path} cannot be read: ${(error as Error).message}.`);
  }
  try {
    const config: unknown = readYaml(text);
    if (config === null || typeof config !== 'object' || Array.isArray(config))
      throw new Error('it must hold names and values');
    return config;
  } catch (error) {
    throw new UsageError(
      `--config ${basename(path)} is not a configuration: ${(error as Error).message.split('\n')[0]}.`,
    );
  }
}
