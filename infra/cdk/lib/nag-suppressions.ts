import { Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

/** Why a statement names its resources by a pattern; by the statement's Sid. */
const REASONS: Readonly<Record<string, string>> = {
  Read: 'One area of the keys; tenant and report are levels before it.',
  Create: 'One area of the keys; tenant and report are levels before it.',
  GiveUploadsUp: 'One area of the keys; tenant and report are levels before it.',
  TagRows: 'One area of the keys; tenant and report are levels before it.',
  Trace: 'X-Ray knows no resources.',
  ReadTenants: 'The tenants below the prefix, which other people make.',
  KeepTokens: 'The tokens of the tenants below the prefix, which other people make.',
  DeliverLogs: 'Step Functions asks for these on every resource; it has no narrower form.',
  LookAndRedrive: 'The executions of this one state machine.',
};

/** Tells cdk-nag of each pattern why it is there. A statement without a reason stays a finding. */
export function acknowledgePatterns(owner: Construct, statements: readonly iam.PolicyStatement[]): void {
  const stack = Stack.of(owner);
  for (const statement of statements) {
    const reason = REASONS[statement.sid ?? ''];
    const patterns = statement.resources.map((it) => flat(stack.resolve(it))).filter((it) => it.includes('*'));
    for (const pattern of reason === undefined ? [] : patterns) {
      Validations.of(owner).acknowledge({ id: `AwsSolutions-IAM5[Resource::${pattern}]`, reason: reason as string });
    }
  }
}

/** A resolved reference in the words of cdk-nag's findings. */
function flat(value: unknown): string {
  if (typeof value === 'string') {
    return value;
  }
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as {
    Ref?: string;
    'Fn::GetAtt'?: [string, string];
    'Fn::Join'?: [string, unknown[]];
  };
  if (ref !== undefined) {
    return `<${ref}>`;
  }
  if (attribute !== undefined) {
    return `<${attribute.join('.')}>`;
  }
  return join === undefined ? JSON.stringify(value) : join[1].map(flat).join(join[0]);
}
