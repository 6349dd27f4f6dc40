/** typedoc plugin: a document is named by its first heading. */
import { Converter } from 'typedoc';

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    const heading = /^\s*# (.+)\n/.exec(document.content[0]?.text ?? '');
    if (heading) document.name = heading[1];
  });
}
