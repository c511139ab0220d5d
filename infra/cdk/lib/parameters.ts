import { CfnParameter, Fn, Stack, Token } from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';

import { TEMPLATE } from './files';

/**
 * What was decided of the template's parameters, and the template's own defaults of the others. Those that are empty stay
 * parameters of the stack: in their place an empty text would be no name and no ARN, although nothing reads it there.
 * Refuses at synthesis what CloudFormation would refuse at deployment, by the template's own rules.
 */
export function decideParameters(decided: Record<string, unknown>): Record<string, unknown> {
  const template = new CfnInclude(new Stack(), 'Template', { templateFile: TEMPLATE });
  const all = template.node.findAll().filter((it): it is CfnParameter => it instanceof CfnParameter);
  const values = all.map((rules) => [rules.node.id, decide(decided[rules.node.id], rules)] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== ''));
}

/** The conditions that ask whether something was given, each with the parameter and what it says if it was. */
const GIVEN: readonly [condition: string, parameter: string, holds: boolean][] = [
  ['NewBucket', 'BucketName', false],
  ['NewKey', 'KmsKeyArn', false],
  ['OwnDataKey', 'DataKmsKeyArn', true],
  ['NewAlertTopic', 'AlertTopicArn', false],
  ['Bounded', 'PermissionsBoundaryArn', true],
  ['InVpc', 'SubnetIds', true],
];

/** A condition can't name a resource, which a bucket, a key or a subnet of the same app is: so what is given is decided here. */
export function decideConditions(template: CfnInclude, values: Record<string, unknown>): void {
  for (const [condition, parameter, holds] of GIVEN) {
    if ([values[parameter]].flat().some((it) => Token.isUnresolved(it))) {
      template.getCondition(condition).expression = Fn.conditionEquals('given', holds ? 'given' : '');
    }
  }
}

function decide(value: unknown, rules: CfnParameter): unknown {
  if (value === undefined) {
    return rules.default;
  }
  if (!Token.isUnresolved(value) && !Array.isArray(value) && !obeys(value as string | number, rules)) {
    throw new Error(`CxoneReports: ${rules.node.id} can't be "${value}": ${rules.constraintDescription ?? rules.description}`);
  }
  return value;
}

function obeys(value: string | number, rules: CfnParameter): boolean {
  const allowed = rules.allowedValues;
  return (
    (rules.allowedPattern === undefined || new RegExp(`^(?:${rules.allowedPattern})$`).test(String(value))) &&
    (allowed === undefined || allowed.map(String).includes(String(value))) &&
    (rules.minValue === undefined || Number(value) >= rules.minValue) &&
    (rules.maxValue === undefined || Number(value) <= rules.maxValue)
  );
}
