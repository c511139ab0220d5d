import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

import { acknowledgePatterns } from './nag-suppressions';
import { codeOf } from './lambda-code';
import { Naming } from './naming';
import { allow, Rights, RIGHTS, statementsOf } from './rights';
import { Settings } from './settings';
import { Storage } from './storage';

/** A handler's binary. */
export type HandlerName = keyof typeof RIGHTS;

interface Shape {
  /** How its resources' names begin, and in the definition `${…Arn}`. */
  readonly id: string;
  readonly description: string;
  readonly timeoutSeconds: number;
  /** MiB; none: as the team decides. */
  readonly memorySize?: number;
}

export const SHAPES: Readonly<Record<HandlerName, Shape>> = {
  trigger: { id: 'Trigger', description: 'Answers what is next for a window, from what is stored.', timeoutSeconds: 120, memorySize: 256 },
  'poll-once': { id: 'PollOnce', description: 'Looks at a run once.', timeoutSeconds: 60, memorySize: 256 },
  'fetch-page': { id: 'FetchPage', description: 'Streams pages into parts and stores one slot.', timeoutSeconds: 900 },
  cancel: { id: 'Cancel', description: 'Looks, cancels and looks again.', timeoutSeconds: 90, memorySize: 256 },
  finalize: { id: 'Finalize', description: 'Verifies, merges and commits.', timeoutSeconds: 900 },
};

/** One handler, deployed. */
export interface Handler {
  readonly name: HandlerName;
  readonly id: string;
  readonly function: lambda.Function;
  readonly logGroup: logs.LogGroup;
  /** `live`: what the state machine calls. */
  readonly alias: lambda.Alias;
}

/** What all of them share. */
interface Surroundings {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly key: kms.IKey;
  readonly naming: Naming;
}

/** The five handlers, each with a role and a log group of its own. */
export function handlersFor(scope: Construct, around: Surroundings): Handler[] {
  return (Object.keys(SHAPES) as HandlerName[]).map((name) => handler(scope, name, around));
}

function handler(scope: Construct, name: HandlerName, around: Surroundings): Handler {
  const { settings, storage, key, naming } = around;
  const { id, description, timeoutSeconds, memorySize } = SHAPES[name];
  const rights: Rights = RIGHTS[name];
  const logGroup = logGroupFor(scope, `${id}LogGroup`, `/aws/lambda/${naming.name}-${name}`, settings.logRetentionDays, key);
  const logging = allow('WriteLogs', ['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]);
  const fn = new lambda.Function(scope, `${id}Function`, {
    functionName: `${naming.name}-${name}`,
    description,
    runtime: lambda.Runtime.PROVIDED_AL2023,
    architecture: settings.architecture === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
    handler: 'bootstrap',
    code: codeOf(name, settings),
    role: roleFor(scope, `${id}Role`, name, [...statementsOf(rights, storage, key, settings.prefix, naming), logging]),
    timeout: Duration.seconds(timeoutSeconds),
    memorySize: memorySize ?? settings.memorySize,
    environment: environmentOf(rights, settings, storage),
    tracing: lambda.Tracing.ACTIVE,
    logGroup,
    loggingFormat: lambda.LoggingFormat.JSON,
    // Who has no secrets calls no CXone, so that no tenant's budget bounds it.
    reservedConcurrentExecutions: rights.secrets && settings.reservedConcurrency > 0 ? settings.reservedConcurrency : undefined,
    currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN },
  });
  const alias = new lambda.Alias(scope, `${id}FunctionAliaslive`, { aliasName: 'live', version: fn.currentVersion });
  return { name, id, function: fn, logGroup, alias };
}

/** Encrypted, and kept for a while; named, because the key's policy lets these names through only. */
export function logGroupFor(scope: Construct, id: string, logGroupName: string, days: number, key: kms.IKey): logs.LogGroup {
  return new logs.LogGroup(scope, id, { logGroupName, retention: days, encryptionKey: key, removalPolicy: RemovalPolicy.DESTROY });
}

/** All statements stand in one place and no construct adds to them. */
function roleFor(scope: Construct, id: string, name: HandlerName, statements: iam.PolicyStatement[]): iam.IRole {
  const role = new iam.Role(scope, id, {
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: { [name]: new iam.PolicyDocument({ statements }) },
  });
  acknowledgePatterns(role, statements);
  return role.withoutPolicyUpdates();
}

function environmentOf(rights: Rights, settings: Settings, storage: Storage): Record<string, string> {
  const secrets = { CXONE_SECRET_PREFIX: settings.secretPrefix };
  const landing = { LANDING_BUCKET: storage.bucket.bucketName, LANDING_PREFIX: settings.prefix };
  return { ...(rights.secrets ? secrets : {}), ...(rights.bucket ? landing : {}) };
}
