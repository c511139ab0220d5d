#!/usr/bin/env tsx
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';

import { configurationOf } from '../lib/configuration';
import { CxoneReportsStack } from '../lib/stack';

// What CloudFormation would refuse is an error here, not a warning. Account and region are those that it is deployed to.
const app = new App({ analyticsReporting: false, context: { '@aws-cdk/core:validateAgainstDefaultRules': true } });
new CxoneReportsStack(app, 'cxone-reports', configurationOf(app.node, process.env));
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();
