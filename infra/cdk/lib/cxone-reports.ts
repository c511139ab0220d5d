import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

import { alarmsFor } from './alarms';
import { dashboardFor } from './dashboard';
import { HandlerName, handlersFor } from './functions';
import { keyFor } from './key';
import { machineFor, operatorPolicyFor } from './machine';
import { alertTopicFor, deadLettersFor } from './notifications';
import { Naming } from './naming';
import { readReports } from './reports';
import { schedulesFor } from './schedules';
import { CxoneReportsProps, resolveSettings } from './settings';
import { storageFor } from './storage';

/** The pipeline: schedules, a state machine, five functions, a bucket with a commit log, and the alarms that go with them. */
export class CxoneReports extends Construct {
  /** Where reports land. Consumers need `s3:GetObject` on it and `kms:Decrypt` on `key`. */
  readonly bucket: s3.IBucket;
  readonly key: kms.IKey;
  readonly stateMachine: sfn.StateMachine;
  /** What the schedules start. */
  readonly stateMachineAliasArn: string;
  /** For permissions of your own; the ones that the handlers need they have. */
  readonly functions: Readonly<Record<HandlerName, lambda.IFunction>>;
  /** Subscribe whoever has to know. */
  readonly alertTopic: sns.ITopic;
  /** Firings that could not be delivered. */
  readonly deadLetterQueue: sqs.IQueue;
  /** Attach it to the operators' role. */
  readonly operatorPolicy: iam.IManagedPolicy;

  constructor(scope: Construct, id: string, props: CxoneReportsProps) {
    super(scope, id);
    const settings = resolveSettings(props);
    const reports = readReports(settings.reports);
    const naming = new Naming(Stack.of(this), settings);

    const key = keyFor(this, settings.kmsKeyArn, naming);
    const storage = storageFor(this, settings, key);
    const alertTopic = alertTopicFor(this, settings.alarmEmail, key, naming);
    const deadLetters = deadLettersFor(this, key);
    const handlers = handlersFor(this, { settings, storage, key, naming });
    const machine = machineFor(this, { settings, handlers, alertTopic, key, naming });
    const operatorPolicy = operatorPolicyFor(this, naming);
    schedulesFor(this, { reports, aliasArn: machine.aliasArn, deadLetters, key, naming });
    alarmsFor(this, { machine, handlers, deadLetters, reports, alertTopic, naming });
    dashboardFor(this, { machine, handlers, bucket: storage.bucket, deadLetters, naming });

    this.bucket = storage.bucket;
    this.key = key;
    this.stateMachine = machine.stateMachine;
    this.stateMachineAliasArn = machine.aliasArn;
    this.functions = Object.fromEntries<lambda.IFunction>(handlers.map((it) => [it.name, it.function])) as Record<HandlerName, lambda.IFunction>;
    this.alertTopic = alertTopic;
    this.deadLetterQueue = deadLetters;
    this.operatorPolicy = operatorPolicy;
  }
}
