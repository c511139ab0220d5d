import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { App } from 'aws-cdk-lib';

import { configurationOf } from '../lib/configuration';
import { readReports } from '../lib/reports';
import { resolveSettings } from '../lib/settings';
import { PROPS, REPORTS } from './given';

/** A folder with the daily report, changed. */
function folderWith(file: string, change: (definition: any) => unknown): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reports-'));
  const definition = JSON.parse(fs.readFileSync(path.join(REPORTS, 'daily.json'), 'utf8'));
  const changed = change(definition) ?? definition;
  fs.writeFileSync(path.join(folder, file), typeof changed === 'string' ? changed : JSON.stringify(changed));
  return folder;
}

test.each<[string, string, (it: any) => unknown]>([
  ['no JSON', 'no JSON', () => '{ "name": '],
  ['a list', 'has to be an object', () => '[]'],
  ['no name', '/name', (it) => void delete it.name],
  ['a space behind the name', '/name', (it) => void (it.name += ' ')],
  ['a name of 101 characters', '/name', (it) => void (it.name = 'x'.repeat(101))],
  ['no schedule', '/schedule', (it) => void delete it.schedule],
  ['an unknown recurrence', '/schedule/type', (it) => void (it.schedule.type = 'yearly')],
  ['windows of five hours', '/schedule/everyHours', (it) => void Object.assign(it.schedule, { type: 'hourly', everyHours: 5 })],
  ['a distance that is none', '/pipeline/restate', (it) => void (it.pipeline.restate = ['1 day'])],
  ['no time', '/schedule/time', (it) => void delete it.schedule.time],
  ['24:00', '/schedule/time', (it) => void (it.schedule.time = '24:00')],
  ['another zone', '/schedule/timezone', (it) => void (it.schedule.timezone = 'Europe/Berlin')],
  ['no tenant', '/pipeline/tenant', (it) => void delete it.pipeline.tenant],
  ['an unknown field', '/pipline', (it) => void (it.pipline = it.pipeline)],
  ['once without an end', '/report/dateRange/end', (it) => void (it.schedule.type = 'once')],
])('a definition with %s names file and place', (_, place, change) => {
  const folder = folderWith('wrong.json', change);
  expect(() => readReports(folder)).toThrow(`${path.join(folder, 'wrong.json')}: `);
  expect(() => readReports(folder)).toThrow(place);
});

test('a file name that can’t be a schedule’s name is refused', () => {
  expect(() => readReports(folderWith('täglich.json', () => undefined))).toThrow('becomes a schedule name');
});

test('two files of one report are refused, and two whose resources would have one name', () => {
  const twins = folderWith('a.json', () => undefined);
  fs.copyFileSync(path.join(REPORTS, 'daily.json'), path.join(twins, 'b.json'));
  expect(() => readReports(twins)).toThrow('b.json: the same tenant and name as in a.json');
  const alike = folderWith('a-b.json', () => undefined);
  fs.copyFileSync(path.join(REPORTS, 'weekly.json'), path.join(alike, 'a_b.json'));
  expect(() => readReports(alike)).toThrow('a_b.json: its resources have the same names as those of a-b.json');
});

test('a folder without a report is refused', () => {
  expect(() => readReports(fs.mkdtempSync(path.join(os.tmpdir(), 'reports-')))).toThrow('no report definition');
});

test('a report that runs once fires when its range is final', () => {
  const at = (end: string, time: string, settledAt: string) => {
    const folder = folderWith('once.json', (it) => {
      it.schedule = { type: 'once', time, timezone: 'UTC' };
      it.report.dateRange = { type: 'absolute', start: '2026-11-01T00:00:00Z', end };
      it.pipeline.settledAt = settledAt;
    });
    return readReports(folder)[0]?.schedules[0]?.expression;
  };
  expect(at('2026-11-02T00:00:00Z', '05:30', '05:00')).toBe('at(2026-11-02T05:30:00)');
  expect(at('2026-11-02T00:00:00Z', '04:30', '05:00')).toBe('at(2026-11-03T04:30:00)');
  expect(at('2026-11-02T12:00:00Z', '05:00', '05:00')).toBe('at(2026-11-03T05:00:00)');
});

test('a schedule that states windows anew has a name of its own', () => {
  const folder = folderWith('day.json', (it) => void (it.pipeline.restate = ['P1D']));
  fs.copyFileSync(path.join(REPORTS, 'weekly.json'), path.join(folder, 'day-restate-P1D.json'));
  expect(() => readReports(folder)).toThrow('its resources have the same names as those of');
  const long = folderWith(`${'x'.repeat(60)}.json`, (it) => void (it.pipeline.restate = ['P1D']));
  expect(() => readReports(long)).toThrow('more than 64 characters');
});

test.each([
  ['secretPrefix', { secretPrefix: '' }],
  ['secretPrefix', { secretPrefix: 'cxone' }],
  ['secretPrefix', { secretPrefix: 'cxone/*/' }],
  ['logRetentionDays', { logRetentionDays: 31 }],
  ['prefix', { prefix: '' }],
  ['prefix', { prefix: 'a/*' }],
  ['memorySize', { memorySize: 128 }],
  ['dataRetentionDays', { dataRetentionDays: 14 }],
  ['architecture', { architecture: 'arm' as never }],
])('%s is refused before anything is deployed: %j', (name, props) => {
  expect(() => resolveSettings({ ...PROPS, ...props })).toThrow(`CxoneReports: ${name}: expected`);
});

test('the context goes before the environment, and an empty text is none', () => {
  const app = new App({ context: { secretPrefix: 'context/', memorySize: '1024', placeholderCode: 'true' } });
  const environment = { CXONE_REPORTS_SECRET_PREFIX: 'environment/', CXONE_REPORTS_ALARM_EMAIL: 'a@example.com', CXONE_REPORTS_PREFIX: '' };
  const found = Object.entries(configurationOf(app.node, environment)).filter(([, value]) => value !== undefined);
  expect(Object.fromEntries(found)).toEqual({
    alarmEmail: 'a@example.com',
    memorySize: 1024,
    placeholderCode: true,
    secretPrefix: 'context/',
  });
});
