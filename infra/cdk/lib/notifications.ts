import { Duration, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { Naming } from './naming';

/** Where alarms and ended runs are told. */
export function alertTopicFor(scope: Construct, alarmEmail: string, key: kms.IKey, naming: Naming): sns.Topic {
  const topic = new sns.Topic(scope, 'AlertTopic', { masterKey: key });
  topic.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'AlarmsOfThisAccount',
      principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': naming.stack.account } },
    }),
  );
  topic.addToResourcePolicy(refuseWithoutTls('sns:Publish', topic.topicArn));
  if (alarmEmail !== '') {
    new sns.Subscription(scope, 'AlertEmail', { topic, protocol: sns.SubscriptionProtocol.EMAIL, endpoint: alarmEmail });
  }
  return topic;
}

/** Firings that the Scheduler could not deliver. Failed executions are not here: an alarm tells of them. */
export function deadLettersFor(scope: Construct, key: kms.IKey): sqs.Queue {
  const queue = new sqs.Queue(scope, 'DeadLetterQueue', { encryptionMasterKey: key, retentionPeriod: Duration.days(14) });
  queue.addToResourcePolicy(refuseWithoutTls('sqs:*', queue.queueArn));
  Validations.of(queue).acknowledge({ id: 'AwsSolutions-SQS3', reason: 'It is the dead letter queue.' });
  return queue;
}

function refuseWithoutTls(action: string, resource: string): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'RefuseWithoutTls',
    effect: iam.Effect.DENY,
    principals: [new iam.AnyPrincipal()],
    actions: [action],
    resources: [resource],
    conditions: { Bool: { 'aws:SecureTransport': 'false' } },
  });
}
