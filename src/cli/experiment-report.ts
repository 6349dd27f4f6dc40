/** From the runs of a sweep to the page that compares them with the paper. */
import type { Experiment } from './experiment-folder.ts';
import { writeReport } from './report-files.ts';
import { readMark, runPath, type Sweep } from './sweep/run-description.ts';

export function writeExperimentReport(experiment: Experiment, sweep: Sweep): string {
  const done = sweep.runs.filter((run) => readMark(sweep, run).done);
  return writeReport(
    done.map((run) => runPath(sweep, run)),
    sweep.folder,
    experiment.config.title,
  );
}
