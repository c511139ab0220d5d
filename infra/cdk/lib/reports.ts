import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';

/** How often CXone runs a report, and with it the pipeline. */
export type Recurrence = 'once' | 'hourly' | 'daily' | 'weekly' | 'monthly';

/** A report definition as it stands in its file, with what the infrastructure needs of it. */
export interface Report {
  /** The file's name without `.json`: the schedule's name. */
  readonly stem: string;
  /** The stem in CamelCase: how the resources' names begin. */
  readonly resource: string;
  readonly name: string;
  readonly tenant: string;
  readonly recurrence: Recurrence;
  /** How many hours a window of an hourly report has. */
  readonly everyHours: number;
  /** Its own schedule, and one for each distance at which its windows are stated anew. */
  readonly schedules: readonly Planned[];
  /** The whole document, as it travels in the event. */
  readonly definition: unknown;
}

/** When executions of a report start. */
export interface Planned {
  readonly name: string;
  readonly resource: string;
  /** In the Scheduler's own form, always UTC. */
  readonly expression: string;
  /** How old the windows are that it states anew; none for the report's own schedule. */
  readonly restate?: string;
  /** Of a report that runs once: when. */
  readonly at?: Date;
}

type Fields = Record<string, unknown>;

const RECURRENCES: readonly string[] = ['once', 'hourly', 'daily', 'weekly', 'monthly'];
const TOP_LEVEL: readonly string[] = ['$schema', 'name', 'schedule', 'report', 'delivery', 'pipeline'];
const WEEKDAYS: readonly string[] = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];

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
  const resource = stem.split(/[^0-9A-Za-z]/).map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  const restate = pipeline.restate ?? [];
  if (!Array.isArray(restate)) {
    throw wrong('/pipeline/restate', 'has to be a list such as ["P1D", "P7D"]');
  }
  const own: Planned = { name: stem, resource: `${resource}Schedule`, ...timing(recurrence as Recurrence, 0, definition, wrong) };
  return {
    stem,
    resource,
    name: text(definition.name, '/name', wrong),
    tenant: text(pipeline.tenant, '/pipeline/tenant', wrong),
    recurrence: recurrence as Recurrence,
    everyHours: hoursOf(schedule, wrong),
    schedules: [own, ...restate.map((distance) => restatement(own, distance, recurrence as Recurrence, definition, wrong))],
    definition,
  };
}

/** The report's own schedule so much later. */
function restatement(own: Planned, distance: unknown, recurrence: Recurrence, definition: Fields, wrong: Wrong): Planned {
  const [, days, hours] = /^P(?:(\d+)D)?(?:T(\d+)H)?$/.exec(String(distance)) ?? [];
  const name = `${own.name}-restate-${distance}`;
  if (days === undefined && hours === undefined) {
    throw wrong('/pipeline/restate', `"${distance}" is no number of days or hours, such as "P1D"`);
  }
  if (name.length > 64) {
    throw wrong('', `the schedule ${name} would have more than 64 characters`);
  }
  return {
    name,
    resource: own.resource.replace(/Schedule$/, `Restate${distance}Schedule`),
    restate: String(distance),
    // An hourly report has the same times again after any of its distances.
    ...timing(recurrence, Number(days ?? 0) + Math.floor(Number(hours ?? 0) / 24), definition, wrong),
  };
}

/**
 * The report's folder in the bucket, which is the dimension of its metrics too: CloudWatch takes ASCII alone. The same
 * as `report_folder` in `crates/delivery/src/keys.rs`.
 */
export function reportFolder(name: string): string {
  const escaped = (byte: number) => `~${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  const isFolder = name === 'win' || name === 'data';
  const spell = (byte: number, at: number) => {
    const letter = String.fromCharCode(byte);
    if (isFolder && at === 0) {
      return escaped(byte);
    }
    return letter === ' ' ? '_' : /[A-Za-z0-9-]/.test(letter) ? letter : escaped(byte);
  };
  const folder = [...Buffer.from(name, 'utf8')].map(spell).join('');
  return folder.length <= 700 ? folder : `${folder.slice(0, 600)}~~${createHash('sha256').update(name).digest('hex')}`;
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

/** The report's times, so many days later. Weeks begin on Monday, months with their first day. */
function timing(recurrence: Recurrence, days: number, definition: Fields, wrong: Wrong): Pick<Planned, 'expression' | 'at'> {
  const schedule = fields(definition.schedule, '/schedule', wrong);
  const [hour, minute] = clock(schedule.time, '/schedule/time', wrong);
  switch (recurrence) {
    case 'hourly': {
      const step = hoursOf(schedule, wrong);
      const hours = Array.from({ length: Math.ceil((24 - hour) / step) }, (_, index) => hour + index * step);
      return { expression: `cron(${minute} ${hours.join(',')} * * ? *)` };
    }
    case 'daily':
      return { expression: `cron(${minute} ${hour} * * ? *)` };
    case 'weekly':
      return { expression: `cron(${minute} ${hour} ? * ${WEEKDAYS[days % 7]} *)` };
    case 'monthly':
      return { expression: `cron(${minute} ${hour} ${1 + days} * ? *)` };
    case 'once': {
      const at = onceAt(hour, minute, definition, wrong);
      at.setUTCDate(at.getUTCDate() + days);
      return { expression: `at(${at.toISOString().slice(0, 19)})`, at };
    }
  }
}

function hoursOf(schedule: Fields, wrong: Wrong): number {
  const hours = schedule.everyHours ?? 1;
  if (![1, 2, 3, 4, 6, 8, 12].includes(hours as number)) {
    throw wrong('/schedule/everyHours', 'has to be 1, 2, 3, 4, 6, 8 or 12');
  }
  return hours as number;
}

function clock(value: unknown, pointer: string, wrong: Wrong): [number, number] {
  const time = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(String(value));
  if (time === null) {
    throw wrong(pointer, 'has to be hh:mm');
  }
  return [Number(time[1]), Number(time[2])];
}

/** The first `hh:mm` at or after the time when the absolute range of a report that runs once is final. */
function onceAt(hour: number, minute: number, definition: Fields, wrong: Wrong): Date {
  const report = fields(definition.report, '/report', wrong);
  const range = fields(report.dateRange, '/report/dateRange', wrong);
  const end = new Date(String(range.end));
  if (Number.isNaN(end.getTime())) {
    throw wrong('/report/dateRange/end', 'a report that runs once needs the end of its range, YYYY-MM-DDThh:mm:ssZ');
  }
  const [settledHour, settledMinute] = clock(settledAt(definition), '/pipeline/settledAt', wrong);
  return firstAt(hour, minute, firstAt(settledHour, settledMinute, end));
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
    for (const { name, resource } of report.schedules) {
      refuse(name, report, 'its resources have the same names as those of');
      refuse(resource, report, 'its resources have the same names as those of');
    }
  }
}
