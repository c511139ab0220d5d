import * as path from 'node:path';

/** What a team decides. The SAM template has the same as parameters, with a capital first letter. */
export interface CxoneReportsProps {
  /** What the names of functions, state machine, log groups and schedules begin with. Default: the stack's name. */
  readonly name?: string;
  /** Folder of report definitions; each `*.json` becomes a schedule. Default: `infra/reports` of this repository. */
  readonly reports?: string;
  /** The state machine's definition. Default: `infra/report-pipeline.asl.json` of this repository. */
  readonly definition?: string;
  /** Folder of `cargo lambda build`: `<codeDirectory>/<binary>/bootstrap`. Default: `target/lambda` of this repository. */
  readonly codeDirectory?: string;
  /** Synthesise without binaries. The functions can't run then: for tests and reviews only. Default: false. */
  readonly placeholderCode?: boolean;
  /** Name of a bucket that exists already. Default: a new one. */
  readonly bucket?: string;
  /** The first level of every key. Default: `cxone`. */
  readonly prefix?: string;
  /** What the names of all tenants' secrets begin with; ends in `/`. The construct makes none of them. Default: `cxone/`. */
  readonly secretPrefix?: string;
  /** What the binaries were built for. Default: `arm64`. */
  readonly architecture?: 'arm64' | 'x86_64';
  /** MiB for `fetch-page` and `finalize`. Default: 512. */
  readonly memorySize?: number;
  /** Who gets the alarms by mail. Default: nobody; subscribe to `alertTopic` yourself. */
  readonly alarmEmail?: string;
  /** Days after which rows expire, at least 15; 0 keeps them. Claims and the log are kept for ever. Default: 0. */
  readonly dataRetentionDays?: number;
  /** Days that logs are kept; one of the periods that CloudWatch Logs knows. Default: 30. */
  readonly logRetentionDays?: number;
  /** A KMS key that exists already; its policy has to let alarms and logs through. Default: a new one. */
  readonly kmsKeyArn?: string;
  /** Concurrent invocations of each function that calls CXone: the tenant's rate budget. Default: none reserved. */
  readonly reservedConcurrency?: number;
}

/** The decisions with the defaults filled in. */
export interface Settings {
  /** Empty: the stack's. */
  readonly name: string;
  readonly reports: string;
  readonly definition: string;
  readonly codeDirectory: string;
  readonly placeholderCode: boolean;
  readonly bucket: string;
  readonly prefix: string;
  readonly secretPrefix: string;
  readonly architecture: 'arm64' | 'x86_64';
  readonly memorySize: number;
  readonly alarmEmail: string;
  readonly dataRetentionDays: number;
  readonly logRetentionDays: number;
  readonly kmsKeyArn: string;
  readonly reservedConcurrency: number;
}

const REPOSITORY = path.resolve(__dirname, '..', '..', '..');

/** An execution can be redriven for 14 days, and its rows have to be there then. */
export const SHORTEST_RETENTION_DAYS = 15;

const PREFIX = /^[A-Za-z0-9][A-Za-z0-9_-]*(\/[A-Za-z0-9][A-Za-z0-9_-]*)*$/;
const SECRET_PREFIX = /^[A-Za-z0-9_+=.@-]+(\/[A-Za-z0-9_+=.@-]+)*\/$/;

/** The days that CloudWatch Logs knows. */
const LOG_PERIODS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/** Fills the defaults in and refuses what could only fail later. */
export function resolveSettings(props: CxoneReportsProps): Settings {
  const settings: Settings = {
    name: props.name ?? '',
    reports: props.reports ?? path.join(REPOSITORY, 'infra', 'reports'),
    definition: props.definition ?? path.join(REPOSITORY, 'infra', 'report-pipeline.asl.json'),
    codeDirectory: props.codeDirectory ?? path.join(REPOSITORY, 'target', 'lambda'),
    placeholderCode: props.placeholderCode ?? false,
    bucket: props.bucket ?? '',
    prefix: props.prefix ?? 'cxone',
    secretPrefix: props.secretPrefix ?? 'cxone/',
    architecture: props.architecture ?? 'arm64',
    memorySize: props.memorySize ?? 512,
    alarmEmail: props.alarmEmail ?? '',
    dataRetentionDays: props.dataRetentionDays ?? 0,
    logRetentionDays: props.logRetentionDays ?? 30,
    kmsKeyArn: props.kmsKeyArn ?? '',
    reservedConcurrency: Math.max(0, props.reservedConcurrency ?? 0),
  };
  refuse(!PREFIX.test(settings.prefix), 'prefix', 'letters, digits, "_" and "-", and "/" inside');
  refuse(!SECRET_PREFIX.test(settings.secretPrefix), 'secretPrefix', 'letters, digits and "_+=.@-", with "/" inside and at the end');
  refuse(!['arm64', 'x86_64'].includes(settings.architecture), 'architecture', 'arm64 or x86_64');
  refuse(!whole(settings.memorySize, 256, 10_240), 'memorySize', 'from 256 to 10240');
  refuse(!LOG_PERIODS.includes(settings.logRetentionDays), 'logRetentionDays', `one of ${LOG_PERIODS.join(', ')}`);
  refuse(
    settings.dataRetentionDays !== 0 && !whole(settings.dataRetentionDays, SHORTEST_RETENTION_DAYS, 99_999),
    'dataRetentionDays',
    `0, or at least ${SHORTEST_RETENTION_DAYS}`,
  );
  return settings;
}

function whole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function refuse(wrong: boolean, name: string, expected: string): void {
  if (wrong) {
    throw new Error(`CxoneReports: ${name}: expected ${expected}`);
  }
}
