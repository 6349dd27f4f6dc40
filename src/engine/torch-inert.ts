/**
 * Objects that lie beside the weights in a checkpoint: counters, settings, dates, paths, numbers of numpy. Each is named here exactly; it is
 * read as an inert value, without looking at what it was made from. Nothing is imported, called or given attributes.
 *
 * Names that run code in Python by what they are given (getattr, eval, functools.partial, modules of one's own) are not among them: a file
 * that holds one is refused, whether or not it uses it.
 */

/** An object of which nothing but its name is known. */
export class Inert {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

const prefixed = (module: string, names: string) => names.split(' ').map((name) => `${module}.${name}`);

/** Python 2 and protocols up to 2 call the module __builtin__. */
const BUILTINS =
  'set frozenset bytearray bytes complex slice range xrange list dict tuple int long float str unicode bool object Ellipsis NotImplemented';
const NUMPY_TYPES =
  'ndarray dtype float16 float32 float64 longdouble int8 int16 int32 int64 uint8 uint16 uint32 uint64 longlong ulonglong bool_ bool str_ bytes_ void datetime64 timedelta64 complex64 complex128';
const TORCH_TYPES =
  'float32 float64 float16 bfloat16 float double half int8 int16 int32 int64 short int long uint8 uint16 uint32 uint64 bool complex32 complex64 complex128 quint8 qint8 qint32 float8_e4m3fn float8_e5m2 strided sparse_coo channels_last channels_last_3d contiguous_format preserve_format';

/** Subclasses of dict: what they hold is looked through for weights. */
const DICTS = [
  ...prefixed('collections', 'OrderedDict Counter defaultdict'),
  'easydict.EasyDict',
  'addict.addict.Dict',
  'munch.Munch',
  'box.box.Box',
  'pytorch_lightning.utilities.parsing.AttributeDict',
  'lightning.fabric.utilities.data.AttributeDict',
  'lightning_fabric.utilities.data.AttributeDict',
  'lightning.pytorch.utilities.parsing.AttributeDict',
  'mmengine.config.config.ConfigDict',
  'mmcv.utils.config.ConfigDict',
];

const OBJECTS = [
  'collections.deque',
  'argparse.Namespace',
  'types.SimpleNamespace',
  ...prefixed('builtins', BUILTINS),
  ...prefixed('__builtin__', BUILTINS),
  '_codecs.encode',
  'copy_reg._reconstructor',
  'copyreg._reconstructor',
  ...prefixed('torch', `device ${TORCH_TYPES}`),
  // As protocol 4 writes a memory format, looking for the module that it is from.
  ...prefixed('torch._utils.torch', 'channels_last channels_last_3d contiguous_format preserve_format'),
  'torch.serialization._get_layout',
  ...prefixed('numpy', NUMPY_TYPES),
  ...['numpy.core', 'numpy._core'].flatMap((core) => [
    ...prefixed(`${core}.multiarray`, 'scalar _reconstruct'),
    `${core}.numeric._frombuffer`,
  ]),
  ...prefixed('numpy.random._pickle', '__randomstate_ctor __generator_ctor __bit_generator_ctor'),
  ...prefixed('numpy.random', '_mt19937.MT19937 _pcg64.PCG64 _philox.Philox _sfc64.SFC64'),
  ...prefixed('datetime', 'datetime date time timedelta timezone'),
  ...prefixed('zoneinfo', 'ZoneInfo._unpickle'),
  'decimal.Decimal',
  'fractions.Fraction',
  ...prefixed('uuid', 'UUID SafeUUID'),
  ...['pathlib', 'pathlib._local'].flatMap((module) =>
    prefixed(module, 'Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath'),
  ),
  ...prefixed('omegaconf.dictconfig', 'DictConfig'),
  ...prefixed('omegaconf.listconfig', 'ListConfig'),
  ...prefixed('omegaconf.base', 'ContainerMetadata Metadata SCMode'),
  ...prefixed('omegaconf.nodes', 'AnyNode StringNode IntegerNode FloatNode BooleanNode PathNode BytesNode'),
  'typing.Any',
];

const dicts = new Set(DICTS);
const objects = new Set([...DICTS, ...OBJECTS]);

export const isDict = (name: string): boolean => dicts.has(name);
export const isInert = (name: string): boolean => objects.has(name);
