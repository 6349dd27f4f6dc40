/**
 * Files that are not what their name says: the pointer that Git LFS leaves in place of a large file, a web page that a download saved
 * (a login form, an error page), an XML answer of a file store, or nothing at all.
 */

const LFS = 'version https://git-lfs.github.com/spec/';

/**
 * What `bytes` hold instead of data, with the remedy, as the predicate of a sentence that begins with the file's name; null when they are
 * none of these. The first 512 bytes are enough.
 */
export function foreignFile(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return 'is empty (0 bytes); copy or download it again';
  const text = beginning(bytes);
  if (text.startsWith(LFS))
    return 'is a Git LFS pointer, not the file itself; fetch the contents with: git lfs pull (or download the file by its own link)';
  if (/^(<!doctype\s+html|<html|<head|<!--[\s\S]*?-->\s*(<!doctype\s+html|<html))/i.test(text))
    return 'is a web page, not data (a login or error page was saved in its place); open the link in a browser, sign in, and download the file itself';
  if (/^<\?xml|^<Error>/i.test(text) && !/<svg/i.test(text))
    return 'is an XML document, not data (a file store answers so when a link has expired); download the file again by a fresh link';
  return null;
}

/** @throws Error, one sentence that begins with `name`, for a file that is none of the expected kind whatever that is */
export function refuseForeignFile(name: string, bytes: Uint8Array): void {
  const reason = foreignFile(bytes);
  if (reason) throw new Error(`${name} ${reason}.`);
}

/** As text, without a byte order mark (UTF-8 or UTF-16) and leading white space. */
function beginning(bytes: Uint8Array): string {
  const head = bytes.subarray(0, 512);
  const wide = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  // Latin letters in UTF-16 are bytes beside zeros, which are dropped.
  const text = new TextDecoder('latin1').decode(wide ? head.subarray(2).filter((byte) => byte !== 0) : head);
  return text.replace(/^\u00ef\u00bb\u00bf/, '').trimStart();
}
