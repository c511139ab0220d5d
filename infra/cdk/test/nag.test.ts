import * as fs from 'node:fs';
import * as path from 'node:path';

import { App, Validations } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';

import { CxoneReportsProps } from '../lib';
import { CxoneReportsStack } from '../lib/stack';
import { PROPS } from './given';

/** The rules that a stack breaks. */
function findings(props: CxoneReportsProps, change: (stack: CxoneReportsStack) => unknown = () => undefined): string[] {
  const app = new App({ analyticsReporting: false, context: { '@aws-cdk/core:validateAgainstDefaultRules': true } });
  const stack = new CxoneReportsStack(app, 'acme-reports', { ...PROPS, ...props });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  change(stack);
  try {
    app.synth();
  } catch {
    // The report says what; the error says only that there is something.
  }
  const report = JSON.parse(fs.readFileSync(path.join(app.outdir, 'validation-report.json'), 'utf8'));
  return report.pluginReports.flatMap((it: any) => it.violations ?? []).map((it: any) => it.ruleName);
}

test.each<[string, CxoneReportsProps]>([
  ['a new bucket and a new key', {}],
  ['a given bucket, a given key and another prefix', { bucket: 'warehouse', kmsKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-0000-4000-8000-0123456789ab', prefix: 'raw/cxone' }],
])('cdk-nag and the rules of CloudFormation have nothing to say of %s', (_, props) => {
  expect(findings(props)).toEqual([]);
});

test('cdk-nag is listened to', () => {
  expect(findings({}, (stack) => new s3.Bucket(stack, 'Open'))).toContain('AwsSolutions-S10');
});
