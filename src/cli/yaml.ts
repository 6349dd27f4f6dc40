/** YAML or JSON, as people write it. */
import { parse } from 'yaml';

/** @throws where it is neither. What is merely odd makes a value that the schema of the file refuses by name, so nothing is warned of. */
export const readYaml = (text: string): unknown => parse(text, { logLevel: 'error' });
