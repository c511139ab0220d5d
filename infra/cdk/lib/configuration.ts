import { Node } from 'constructs';

import { CxoneReportsProps } from './settings';

/** The names of the properties that the app takes from outside, and how each is read. */
const READERS: { [K in keyof Required<CxoneReportsProps>]: (value: string) => CxoneReportsProps[K] } = {
  name: String,
  reports: String,
  definition: String,
  codeDirectory: String,
  placeholderCode: (value) => value === 'true',
  bucket: String,
  prefix: String,
  secretPrefix: String,
  architecture: (value) => value as CxoneReportsProps['architecture'],
  memorySize: Number,
  alarmEmail: String,
  dataRetentionDays: Number,
  logRetentionDays: Number,
  kmsKeyArn: String,
  reservedConcurrency: Number,
};

/**
 * Each property from the context (`-c alarmEmail=…`), else from the environment (`CXONE_REPORTS_ALARM_EMAIL`).
 */
export function configurationOf(node: Node, environment: NodeJS.ProcessEnv): CxoneReportsProps {
  const entries = Object.entries(READERS).map(([name, read]) => {
    const value: unknown = node.tryGetContext(name) ?? environment[variable(name)];
    return [name, value === undefined || value === '' ? undefined : read(String(value))];
  });
  return Object.fromEntries(entries) as CxoneReportsProps;
}

function variable(property: string): string {
  const words = property.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  return `CXONE_REPORTS_${words}`;
}
