import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { buildReport, type RunRecords } from '../../src/report/report.ts';
import { fakeRun, GENERATED } from './fake-runs.ts';

const SCHEMES = ['mtls1', 'mtls2', 'mtls3'];
const build = (runs: readonly RunRecords[], title = 'A report') => buildReport({ title, runs, generated: GENERATED });
const page = (runs: readonly RunRecords[]) => parseHTML(build(runs).html).document;

/** A run with one metric's value replaced. */
function withKld(run: RunRecords, kld: number): RunRecords {
  const { saliency } = run.evaluation;
  return { ...run, evaluation: { ...run.evaluation, saliency: { ...saliency!, mean: { ...saliency!.mean, kld } } } };
}

const row = (document: Document, label: string) =>
  [...document.querySelectorAll('#results tbody tr')].find((one) =>
    one.querySelector('th')?.textContent?.startsWith(label),
  )!;
const cells = (tr: Element, group: string) => [...tr.querySelectorAll(`td.${group}`)].map((td) => td.textContent);

describe('the page', () => {
  const three = SCHEMES.map((scheme) => fakeRun({ scheme }));
  const { html } = build(three);
  const { document } = parseHTML(html);

  test('has its parts in order', () => {
    expect([...document.querySelectorAll('main > section')].map(({ id }) => id)).toEqual([
      'summary',
      'results',
      'training',
      'overlays',
      'confusion',
      'provenance',
      'equations',
    ]);
  });

  test('needs nothing but itself', () => {
    const addresses = html.match(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<]+/gi) ?? [];
    expect(new Set(addresses)).toEqual(new Set(['http://www.w3.org/2000/svg']));
    expect(document.querySelectorAll('script, link[rel=stylesheet], iframe, object, embed, base')).toHaveLength(0);
    for (const element of document.querySelectorAll('[src], [href]')) {
      expect(element.getAttribute('src') ?? element.getAttribute('href')).toMatch(/^(data:|#)/);
    }
    expect(html.match(/url\(|@import|\son\w+=/)).toBeNull();
  });

  test('names every plot and captions every figure of plots', () => {
    const plots = [...document.querySelectorAll('svg[role=img]')];
    expect(plots).toHaveLength(4 * SCHEMES.length);
    for (const plot of plots) {
      expect(plot.getAttribute('xmlns')).toBe('http://www.w3.org/2000/svg');
      expect(plot.getAttribute('aria-label')).toMatch(/of MTLS[123] over 24 epochs; best at epoch \d+$/);
      expect(plot.querySelector('title')?.textContent).toBe(plot.getAttribute('aria-label'));
      expect(plot.outerHTML).not.toMatch(/NaN|undefined|Infinity/);
    }
    for (const figure of document.querySelectorAll('figure.curves')) {
      expect(figure.querySelector('figcaption')?.textContent).toMatch(/Look for/);
    }
  });

  test('draws in colours of the page, so that they follow light and dark', () => {
    const colours = html.match(/(?:fill|stroke)="[^"]*"/g)!;
    expect(new Set(colours.map((colour) => colour.replace(/^\w+=/, '')))).toEqual(
      new Set(['"currentColor"', '"none"', '"var(--saliency)"', '"var(--class)"', '"var(--rate)"', '"var(--paper)"']),
    );
  });

  test('shows every example: film, gaze and each prediction, in both colour maps', () => {
    const examples = [...document.querySelectorAll('.example')];
    expect(examples.map((one) => one.querySelector('h3')?.textContent)).toEqual([
      'film-0 normal',
      'film-1 enlarged heart',
      'film-2 pneumonia',
    ]);
    for (const [i, example] of examples.entries()) {
      const maps = 1 + SCHEMES.length;
      expect([...example.querySelectorAll('img.jet')]).toHaveLength(maps);
      expect([...example.querySelectorAll('img.safe')]).toHaveLength(maps);
      expect(example.querySelectorAll('img')).toHaveLength(1 + 2 * maps);
      const text = example.textContent!;
      for (const run of three) {
        const { saliency } = run.evaluation.examples[i];
        for (const value of Object.values(saliency!)) expect(text).toContain(value.toFixed(3));
      }
      expect(example.querySelectorAll('.truth')).toHaveLength(SCHEMES.length);
      expect(example.querySelectorAll('.said')).toHaveLength(SCHEMES.length);
    }
    expect(document.querySelectorAll('#overlays > input[type=radio]')).toHaveLength(2);
    expect(document.querySelectorAll('#overlays > input[checked]')).toHaveLength(1);
  });

  test('says what the data are, who won, and what each scheme beats', () => {
    const lead = document.querySelector('.lead')!.textContent!;
    expect(lead).toContain('synthetic, drawn by a program');
    expect(lead).toContain('MTLS3 for KLD');
    expect(lead).toContain('not reproduced');
    const verdicts = [...document.querySelectorAll('.verdicts li')].map(({ textContent }) => textContent);
    expect(verdicts).toHaveLength(3);
    expect(verdicts[0]).toContain('constant prediction (1.386) and centre bias (0.842)');
    expect(verdicts[0]).toContain('beats chance (0.350)');
  });

  test('is the same for the same records', () => {
    expect(build(SCHEMES.map((scheme) => fakeRun({ scheme }))).html === html).toBe(true);
  });

  test('has MathML for the three equations', () => {
    const formulas = [...document.querySelectorAll('.formula math')].map(({ textContent }) => textContent);
    const plain = formulas.map((text) => text!.replace(/[\s\u2061]/g, ''));
    expect(plain).toEqual([
      'L=Ls\u03c3s2+Lc\u03c3c2+ln(\u03c3s+1)+ln(\u03c3c+1)',
      'L=Ls\u03c3s2+Lc+ln(\u03c3s+1)',
      'L=Ls+Lc\u03c3c2+ln(\u03c3c+1)',
    ]);
  });
});

describe('the table', () => {
  const runs = [0.9, 0.7, 0.8].map((kld, i) => withKld(fakeRun({ scheme: 'mtls1', seed: i + 1 }), kld));
  const rival = withKld(fakeRun({ scheme: 'mtls3' }), 0.75);
  const document = page([...runs, rival]);

  test('gives median and sample std over seeds, and no \u00b1 for a single one', () => {
    expect(cells(row(document, 'KLD'), 'scheme')).toEqual(['0.800 \u00b1 0.100', '0.750 (best)']);
    expect(document.querySelector('#results .note')?.textContent).toContain('MTLS3 has a single seed');
  });

  test('stars the lowest divergence and the highest of the others, also where two read alike', () => {
    const equal = page([
      withKld(fakeRun({ scheme: 'mtls1' }), 0.7501),
      withKld(fakeRun({ scheme: 'mtls2' }), 0.7499),
      rival,
    ]);
    expect(cells(row(equal, 'KLD'), 'scheme').filter((text) => text!.includes('(best)'))).toHaveLength(3);
    expect(row(page([rival]), 'KLD').querySelector('.best')).toBeNull();
    for (const label of ['PCC', 'HS', 'ACC', 'AUC micro', 'AUC-Y2']) {
      const texts = cells(row(document, label), 'scheme');
      const best = row(document, label).querySelector('.best')!.textContent!;
      expect(Number.parseFloat(best)).toBe(Math.max(...texts.map(Number.parseFloat)));
    }
  });

  test('sets baselines and the paper beside the schemes', () => {
    expect(cells(row(document, 'KLD'), 'baseline')).toEqual(['1.386', '0.842', '\u2013']);
    expect(cells(row(document, 'PCC'), 'baseline')).toEqual(['n/a', '0.498', '\u2013']);
    expect(cells(row(document, 'ACC'), 'baseline')).toEqual(['\u2013', '\u2013', '0.350']);
    const paper = ['KLD', 'PCC', 'HS', 'ACC', 'AUC micro', 'AUC-Y1', 'AUC-Y2', 'AUC-Y3'];
    expect(paper.map((label) => cells(row(document, label), 'paper')[0]!.slice(0, 5))).toEqual([
      '0.726',
      '0.569',
      '0.548',
      '0.670',
      '0.843',
      '0.864',
      '0.912',
      '0.711',
    ]);
  });

  test('says the same in Markdown and JSON', () => {
    const { markdown, json } = build([...runs, rival]);
    expect(markdown).toContain(
      '| KLD \u2193 | 0.800 \u00b1 0.100 | **0.750** | 1.386 | 0.842 | \u2013 | 0.726 \u00b1 0.004 |',
    );
    expect(markdown).toMatch(/^Provenance: commit 757776f.*hash 9f3a61c0d27be845.*seed 1 \/ 2 \/ 3/m);
    const results = JSON.parse(JSON.stringify(json));
    expect(results.schemes[0].metrics.kld.values).toEqual([0.9, 0.7, 0.8]);
    expect(results.schemes[0].metrics.kld.median).toBe(0.8);
    expect(results.schemes[1].metrics.kld.std).toBeNull();
    expect(results.best.kld).toEqual(['mtls3']);
    expect(results.runs).toHaveLength(4);
    expect(results.runs[0].provenance.data.hash).toBe('9f3a61c0d27be845');
  });
});

describe('what comes from records is text', () => {
  const evil = `<script>alert(1)</script>"'<img src=x onerror=alert(1)>|\u0000`;

  test('in names, ids, configuration, driver and everything else', () => {
    const run = fakeRun({ epochs: 3, examples: 1 });
    const { provenance, evaluation } = run;
    const poisoned: RunRecords = {
      ...run,
      name: evil,
      scheme: evil,
      config: { [evil]: evil },
      rerun: evil,
      provenance: {
        ...provenance,
        package: evil,
        commit: evil,
        runtime: evil,
        platform: evil,
        started: evil,
        adapter: { ...provenance.adapter, name: evil, driver: evil, backend: evil },
        data: { ...provenance.data, name: evil, hash: evil },
      },
      evaluation: {
        ...evaluation,
        baselines: evaluation.baselines.map((one) => ({ ...one, name: `${one.name} ${evil}` })),
        examples: evaluation.examples.map((example) => ({ ...example, id: evil })),
      },
    };
    const { html, markdown } = build([poisoned, { ...poisoned, seed: 2 }], evil);
    expect(html.match(/<script|<img src=x/i)).toBeNull();
    expect(html.includes('\u0000')).toBe(false);
    expect(markdown).not.toMatch(/<script|<img/i);
    expect(markdown).toContain('onerror=alert(1)&gt;\\|');
    const { document } = parseHTML(html);
    expect(document.querySelectorAll('script, [onerror]')).toHaveLength(0);
    const named = evil.replace('\u0000', '\ufffd');
    expect(document.querySelector('h1')?.textContent).toBe(named);
    expect(document.querySelector('.example h3')?.textContent).toContain(named);
    expect(document.querySelector('details pre')?.textContent).toBe(named);
    expect(document.querySelector('svg[role=img] title')?.textContent).toContain(named);
  });
});

describe('incomplete records', () => {
  test('a network without a class head has no confusion matrix and no class loss', () => {
    const document = page([fakeRun({ heads: 'saliency' })]);
    expect(document.querySelector('#confusion')).toBeNull();
    expect(document.querySelectorAll('svg[role=img]')).toHaveLength(3);
    expect(cells(row(document, 'ACC'), 'scheme')).toEqual(['n/a']);
    expect(document.querySelector('.verdicts')?.textContent).not.toContain('ACC');
    expect(document.querySelector('.classes')).toBeNull();
  });

  test('a network without a saliency head has no predicted maps', () => {
    const document = page([fakeRun({ heads: 'class' })]);
    expect(document.querySelectorAll('.example img.jet')).toHaveLength(3);
    expect(document.querySelector('.example .missing')?.textContent).toBe('no saliency head');
    expect(cells(row(document, 'KLD'), 'scheme')).toEqual(['n/a']);
  });

  test('values that are not finite are n/a, never the best, and null in JSON', () => {
    const runs = [
      withKld(fakeRun({ scheme: 'mtls1' }), Number.NaN),
      withKld(fakeRun({ scheme: 'mtls2' }), Number.NEGATIVE_INFINITY),
      fakeRun(),
    ];
    const { html, json } = build(runs);
    const kld = row(parseHTML(html).document, 'KLD');
    expect(cells(kld, 'scheme').slice(0, 2)).toEqual(['n/a', 'n/a']);
    expect(kld.querySelector('.best')).toBeNull();
    expect(html.match(/NaN|Infinity|undefined/)).toBeNull();
    expect(
      (json as { runs: { metrics: { kld: unknown } }[] }).runs.map(({ metrics }) => metrics.kld).slice(0, 2),
    ).toEqual([null, null]);
  });

  test('a seed without a value is counted out loud', () => {
    const document = page([1, 2, 3].map((seed) => withKld(fakeRun({ seed }), seed === 2 ? Number.NaN : seed)));
    expect(cells(row(document, 'KLD'), 'scheme')).toEqual(['2.000 \u00b1 1.414 (2 of 3)']);
  });

  test('a run without epochs has nothing to draw, one with a single epoch has dots', () => {
    const empty = page([fakeRun({ epochs: 0 })]);
    expect(empty.querySelector('#training .missing')?.textContent).toContain('No epoch');
    expect(empty.querySelectorAll('svg[role=img]')).toHaveLength(0);
    const single = page([fakeRun({ epochs: 1 })]);
    expect(single.querySelector('svg[role=img] circle')).not.toBeNull();
  });

  test('two schemes, no examples, no baselines', () => {
    const bare = (run: RunRecords) => ({
      ...run,
      examples: [],
      steps: [],
      evaluation: { ...run.evaluation, examples: [], baselines: [] },
    });
    const document = page([bare(fakeRun({ scheme: 'mtls2' })), bare(fakeRun())]);
    expect(document.querySelector('#overlays')).toBeNull();
    expect(document.querySelector('.verdicts')?.textContent).toContain('beats chance (0.333)');
    expect(document.querySelectorAll('#results thead th.baseline')).toHaveLength(0);
  });

  test('different data are pointed out', () => {
    const other = fakeRun({ scheme: 'mtls1' });
    const data = { ...other.provenance.data, hash: 'another', name: 'MIMIC-CXR with eye tracking' };
    const lead = page([fakeRun(), { ...other, provenance: { ...other.provenance, data } }]).querySelector('.lead')!;
    expect(lead.textContent).toContain('did not all see the same data');
    expect(lead.textContent).toContain('By its name the data set is clinical');
  });

  test('no run, or maps that do not fit the examples, are errors', () => {
    expect(() => build([])).toThrow('at least one run');
    const run = fakeRun();
    expect(() => build([{ ...run, examples: run.examples.slice(1) }])).toThrow(
      'lists 3 examples, but maps were given for 2',
    );
  });
});
