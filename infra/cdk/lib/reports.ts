import * as fs from 'node:fs';
import * as path from 'node:path';

/** How often CXone runs a report, and with it the pipeline. */
export type Recurrence = 'once' | 'daily' | 'weekly' | 'monthly';

/** A report definition as it stands in its file, with what the infrastructure needs of it. */
export interface Report {
  /** The file's name without `.json`: the schedule's name. */
  readonly stem: string;
  /** The stem in CamelCase: how the resources' names begin. */
  readonly resource: string;
  readonly name: string;
  readonly tenant: string;
  readonly recurrence: Recurrence;
  /** In the Scheduler's own form, always UTC. */
  readonly expression: string;
  /** The whole document, as it travels in the event. */
  readonly definition: unknown;
}

type Fields = Record<string, unknown>;

const RECURRENCES: readonly string[] = ['once', 'daily', 'weekly', 'monthly'];
const TOP_LEVEL: readonly string[] = ['name', 'schedule', 'report', 'delivery', 'pipeline'];

/**
 * Reads every `*.json` of a folder, sorted by name. Only what the infrastructure rests on is checked here;
 * `cxr check` knows the rest: metrics, dimensions, keys, windows.
 */
export function readReports(folder: string): Report[] {
  const files = fs.readdirSync(folder).filter((file) => file.endsWith('.json')).sort();
  if (files.length === 0) {
    throw new Error(`${folder}: no report definition (*.json)`);
  }
  const reports = files.map((file) => readReport(path.join(folder, file)));
  refuseTwins(reports);
  return reports;
}

/** Reads one definition; an error names the file and the place in it. */
export function readReport(file: string): Report {
  const wrong = (pointer: string, what: string) => new Error(`${file}: ${pointer}: ${what}`);
  const stem = path.basename(file, '.json');
  if (!/^[0-9A-Za-z_.-]{1,64}$/.test(stem)) {
    throw wrong('', 'the file name becomes a schedule name: letters, digits, "-", "_" and ".", at most 64');
  }
  const definition = fields(parse(file, wrong), '', wrong);
  const unknown = Object.keys(definition).find((key) => !TOP_LEVEL.includes(key));
  if (unknown !== undefined) {
    throw wrong(`/${unknown}`, `unknown; the fields are ${TOP_LEVEL.join(', ')}`);
  }
  const schedule = fields(definition.schedule, '/schedule', wrong);
  const pipeline = fields(definition.pipeline, '/pipeline', wrong);
  const recurrence = text(schedule.type, '/schedule/type', wrong);
  if (!RECURRENCES.includes(recurrence)) {
    throw wrong('/schedule/type', `"${recurrence}" is none of ${RECURRENCES.join(', ')}`);
  }
  if (schedule.timezone !== 'UTC') {
    throw wrong('/schedule/timezone', 'has to be "UTC": the data is');
  }
  return {
    stem,
    resource: stem.split(/[^0-9A-Za-z]/).map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(''),
    name: text(definition.name, '/name', wrong),
    tenant: text(pipeline.tenant, '/pipeline/tenant', wrong),
    recurrence: recurrence as Recurrence,
    expression: expression(recurrence as Recurrence, schedule, definition, wrong),
    definition,
  };
}

type Wrong = (pointer: string, what: string) => Error;

function parse(file: string, wrong: Wrong): unknown {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    throw wrong('', `no JSON: ${(error as Error).message}`);
  }
}

function fields(value: unknown, pointer: string, wrong: Wrong): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(pointer, 'has to be an object');
  }
  return value as Fields;
}

function text(value: unknown, pointer: string, wrong: Wrong): string {
  if (typeof value !== 'string' || value.length === 0 || value.length > 100 || value.trim() !== value) {
    throw wrong(pointer, 'has to be a text of 1 to 100 characters, no space at either end');
  }
  return value;
}

function expression(recurrence: Recurrence, schedule: Fields, definition: Fields, wrong: Wrong): string {
  const [hour, minute] = clock(schedule.time, '/schedule/time', wrong);
  switch (recurrence) {
    case 'daily':
      return `cron(${minute} ${hour} * * ? *)`;
    case 'weekly':
      return `cron(${minute} ${hour} ? * MON *)`;
    case 'monthly':
      return `cron(${minute} ${hour} 1 * ? *)`;
    case 'once':
      return `at(${onceAt(hour, minute, definition, wrong)})`;
  }
}

function clock(value: unknown, pointer: string, wrong: Wrong): [number, number] {
  const time = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(String(value));
  if (time === null) {
    throw wrong(pointer, 'has to be hh:mm');
  }
  return [Number(time[1]), Number(time[2])];
}

/** The first `hh:mm` at or after the time when the absolute range of a report that runs once is final. */
function onceAt(hour: number, minute: number, definition: Fields, wrong: Wrong): string {
  const report = fields(definition.report, '/report', wrong);
  const range = fields(report.dateRange, '/report/dateRange', wrong);
  const end = new Date(String(range.end));
  if (Number.isNaN(end.getTime())) {
    throw wrong('/report/dateRange/end', 'a report that runs once needs the end of its range, YYYY-MM-DDThh:mm:ssZ');
  }
  const [settledHour, settledMinute] = clock(settledAt(definition), '/pipeline/settledAt', wrong);
  return firstAt(hour, minute, firstAt(settledHour, settledMinute, end)).toISOString().slice(0, 19);
}

function settledAt(definition: Fields): unknown {
  return (definition.pipeline as Fields).settledAt ?? '05:00';
}

function firstAt(hour: number, minute: number, after: Date): Date {
  const at = new Date(after);
  at.setUTCHours(hour, minute, 0, 0);
  if (at < after) {
    at.setUTCDate(at.getUTCDate() + 1);
  }
  return at;
}

/** Two files for one report would share one log, and each would find its window delivered by the other. */
function refuseTwins(reports: readonly Report[]): void {
  const seen = new Map<string, string>();
  const refuse = (key: string, { stem }: Report, why: string) => {
    const other = seen.get(key);
    if (other !== undefined) {
      throw new Error(`${stem}.json: ${why} ${other}.json`);
    }
    seen.set(key, stem);
  };
  for (const report of reports) {
    refuse(JSON.stringify([report.tenant, report.name]), report, 'the same tenant and name as in');
    refuse(report.resource, report, 'its resources have the same names as those of');
  }
}
