import { RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

import { Naming } from './naming';

const USE = ['kms:Decrypt', 'kms:GenerateDataKey'];

/** The key of data, secrets, logs, alarms and dead letters: the one that is given, or a new one. */
export function keyFor(scope: Construct, given: string, naming: Naming): kms.IKey {
  if (given !== '') {
    return kms.Key.fromKeyArn(scope, 'DataKey', given);
  }
  return new kms.Key(scope, 'DataKey', {
    description: `${naming.name}: reports, secrets, logs, alarms and dead letters`,
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.RETAIN,
    policy: new iam.PolicyDocument({ statements: [account(), alarms(naming), logs(naming)] }),
  });
}

/** Without this a key can be locked out of for good; who uses it is decided by the roles. */
function account(): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'AccountDecidesByIam',
    principals: [new iam.AccountRootPrincipal()],
    actions: ['kms:*'],
    resources: ['*'],
  });
}

function alarms(naming: Naming): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'AlarmsReachTheTopic',
    principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
    actions: USE,
    resources: ['*'],
    conditions: { StringEquals: { 'aws:SourceAccount': naming.stack.account } },
  });
}

function logs(naming: Naming): iam.PolicyStatement {
  const groups = ['/aws/lambda/', '/aws/vendedlogs/states/'].map((folder) => naming.arn('logs', 'log-group', `${folder}${naming.name}-*`));
  return new iam.PolicyStatement({
    sid: 'LogsOfThisStack',
    principals: [new iam.ServicePrincipal(naming.endpoint('logs'))],
    actions: [
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
    ],
    resources: ['*'],
    conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': groups } },
  });
}

/** A role's right to the key, only by way of these services. */
export function useOf(key: kms.IKey, naming: Naming, ...services: string[]): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'UseKey',
    actions: USE,
    resources: [key.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': services.map((service) => naming.endpoint(service)) } },
  });
}
