/** Checkpoints that PyTorch 1.13 wrote (test/golden/checkpoints/make.py): the state_dict is found, inert objects are passed over, the rest is refused. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTorch } from '../../src/engine/torch.ts';
import { isInert } from '../../src/engine/torch-inert.ts';
import { goldenPart } from '../support/golden-part.ts';

interface Expected {
  readonly key?: string;
  readonly tensors?: Readonly<Record<string, readonly number[]>>;
  readonly refuse?: string;
}

const folder = goldenPart('checkpoints');
const bytesOf = (file: string) => new Uint8Array(readFileSync(join(folder, file)));
const rows = Object.entries(
  JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<string, Expected>,
);

describe.each(rows)('%s', (file, { key, tensors, refuse }) => {
  it(refuse ? `is refused: ${refuse}` : `holds its state_dict under "${key}"`, () => {
    if (refuse) {
      expect(() => readTorch(bytesOf(file))).toThrow(new RegExp(refuse));
      return;
    }
    const read = readTorch(bytesOf(file));
    expect(read.key).toBe(key);
    expect(Object.fromEntries([...read.tensors].map(([name, one]) => [name, [...one.toFloat64()]]))).toEqual(tensors);
  });
});

it('takes the dict that is chosen, and tells where others lie', () => {
  const bytes = bytesOf('two.pt');
  for (const key of ['generator', 'discriminator']) {
    const read = readTorch(bytes, (dicts) => dicts.find((one) => one.key === key) ?? null);
    expect(read.key).toBe(key);
    expect(read.others).toEqual([key === 'generator' ? 'discriminator' : 'generator']);
    expect([...read.tensors.get('conv.bias')!.toFloat64()]).toEqual([key === 'generator' ? 0.5 : 0.25]);
  }
});

it('nothing that runs what it is given is inert', () => {
  const hostile =
    'os.system posix.system nt.system subprocess.Popen builtins.eval builtins.exec builtins.getattr builtins.setattr builtins.__import__ builtins.compile builtins.open builtins.map builtins.filter builtins.apply builtins.print functools.partial functools.reduce operator.attrgetter operator.methodcaller types.FunctionType types.CodeType importlib.import_module runpy.run_path pickle.loads marshal.loads torch.load torch.hub.load torch.jit.load torch.save shutil.rmtree webbrowser.open socket.socket ctypes.CDLL numpy.load numpy.fromfile numpy.testing._private.utils.runstring numpy.f2py.compile copyreg.add_extension codecs.open io.open sys.exit threading.Thread uuid.os.system datetime.sys.modules pathlib.os.system collections.abc.Callable';
  for (const name of hostile.split(' ')) {
    expect(isInert(name), name).toBe(false);
    expect(isInert(name.replace('builtins', '__builtin__')), name).toBe(false);
  }
});
