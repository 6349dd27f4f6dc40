/** Pointers of Git LFS, web pages and empty files are called by their name. */
import { expect, test } from 'vitest';
import { foreignFile, refuseForeignFile } from '../../src/data/foreign-file.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const utf16 = (text: string) => Uint8Array.from([0xff, 0xfe, ...[...text].flatMap((c) => [c.charCodeAt(0), 0])]);

const POINTER =
  'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n';

test.each([
  ['no bytes', new Uint8Array(0), /is empty \(0 bytes\)/],
  ['a Git LFS pointer', bytes(POINTER), /is a Git LFS pointer.*git lfs pull/],
  ['a web page', bytes('<!DOCTYPE html>\n<html lang="en">'), /is a web page/],
  ['a web page in lower case after blank lines', bytes('\r\n\n  <html><body>'), /is a web page/],
  ['a web page with a byte order mark', bytes('\ufeff<!doctype html>'), /is a web page/],
  ['a web page in UTF-16', utf16('<!DOCTYPE html><html>'), /is a web page/],
  ['a web page that begins with a comment', bytes('<!-- saved -->\n<html>'), /is a web page/],
  ['an answer in XML', bytes('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'), /is an XML document/],
])('%s is named', (_, content, reason) => {
  expect(foreignFile(content)).toMatch(reason);
  expect(() => refuseForeignFile('chest.png', content)).toThrow(/^chest\.png is .*\.$/);
});

test.each([
  ['a PNG', Uint8Array.of(0x89, 0x50, 0x4e, 0x47)],
  ['a table', bytes('id,label\nversion,https\n')],
  ['one byte', Uint8Array.of(0)],
  ['a drawing', bytes('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg">')],
])('%s is not', (_, content) => {
  expect(foreignFile(content)).toBeNull();
  refuseForeignFile('chest.png', content);
});
