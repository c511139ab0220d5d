import { given, ofType, one, sentence } from './given';

const resources = given();

test('the bucket is closed, versioned and encrypted with the key', () => {
  expect(one(resources, 'LandingBucket')).toMatchObject({
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [
        { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { KMSMasterKeyID: '<DataKey.Arn>', SSEAlgorithm: 'aws:kms' } },
      ],
    },
    OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
    VersioningConfiguration: { Status: 'Enabled' },
  });
});

test('the bucket refuses plain HTTP, and claims that might replace something', () => {
  const { PolicyDocument: policy } = one(resources, 'LandingBucketPolicy');
  expect(policy.Statement.map((it: any) => JSON.stringify(it.Principal))).toEqual(['{"AWS":"*"}', '{"AWS":"*"}']);
  expect(policy.Statement.map(sentence)).toEqual([
    'Deny RefuseWithoutTls: s3:* on <LandingBucket.Arn> <LandingBucket.Arn>/* if {"Bool":{"aws:SecureTransport":"false"}}',
    'Deny RefuseClaimsThatMayReplace: s3:PutObject on <LandingBucket.Arn>/cxone/*/win/* <LandingBucket.Arn>/cxone/*/_log/* if {"Null":{"s3:if-none-match":"true"}}',
  ]);
});

test('half uploads go after a day, and nothing else that is current ever goes', () => {
  const rules = one(resources, 'LandingBucket').LifecycleConfiguration.Rules;
  expect(rules).toEqual([
    { Id: 'half-uploads', Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
    { Id: 'deleted-by-hand', Status: 'Enabled', ExpiredObjectDeleteMarker: true, NoncurrentVersionExpiration: { NoncurrentDays: 90 } },
  ]);
});

test('rows expire by their tag where that is wanted; claims and log have no tag', () => {
  const rules = one(given({ dataRetentionDays: 400 }), 'LandingBucket').LifecycleConfiguration.Rules;
  expect(rules[2]).toEqual({
    Id: 'rows',
    Status: 'Enabled',
    TagFilters: [{ Key: 'cxone-reports', Value: 'data' }],
    ExpirationInDays: 400,
    NoncurrentVersionExpiration: { NoncurrentDays: 7 },
  });
  expect(rules.filter((it: any) => it.ExpirationInDays !== undefined)).toHaveLength(1);
});

test('the key turns, and lets alarms and the logs of this stack through', () => {
  const { KeyPolicy: policy, EnableKeyRotation: turns } = one(resources, 'DataKey');
  expect(turns).toBe(true);
  const logGroup = 'arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:';
  const groups = [`${logGroup}/aws/lambda/acme-reports-*`, `${logGroup}/aws/vendedlogs/states/acme-reports-*`];
  expect(policy.Statement.map((it: any) => `${Object.values(it.Principal).join()} ${sentence(it)}`)).toEqual([
    'arn:<AWS::Partition>:iam::<AWS::AccountId>:root AccountDecidesByIam: kms:* on *',
    'cloudwatch.amazonaws.com AlarmsReachTheTopic: kms:Decrypt kms:GenerateDataKey on * if {"StringEquals":{"aws:SourceAccount":"<AWS::AccountId>"}}',
    'logs.<AWS::Region>.amazonaws.com LogsOfThisStack: kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext ' +
      `kms:ReEncryptFrom kms:ReEncryptTo on * if ${JSON.stringify({ ArnLike: { 'kms:EncryptionContext:aws:logs:arn': groups } })}`,
  ]);
});

test('everything that keeps something is encrypted with the key', () => {
  const keyOf = (name: string, property: string) => one(resources, name)[property];
  expect([
    keyOf('AlertTopic', 'KmsMasterKeyId'),
    keyOf('DeadLetterQueue', 'KmsMasterKeyId'),
    ...ofType(resources, 'AWS::Logs::LogGroup').map((it) => it.Properties.KmsKeyId),
  ]).toEqual(Array(8).fill('<DataKey.Arn>'));
});

test('what can’t be made again stays when the stack goes', () => {
  const kept = Object.entries(resources)
    .filter(([, it]) => it.DeletionPolicy === 'Retain' && it.UpdateReplacePolicy === 'Retain')
    .map(([name]) => name);
  expect(kept).toEqual([
    'DataKey',
    'LandingBucket',
    'LandingBucketPolicy',
    ...['Trigger', 'PollOnce', 'FetchPage', 'Cancel', 'Finalize'].map((id) => `${id}FunctionCurrentVersion`),
    'ReportPipelineVersion',
  ]);
});

test('the stack owns no secret', () => {
  expect(ofType(resources, 'AWS::SecretsManager::Secret')).toEqual([]);
});
