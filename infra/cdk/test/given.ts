import * as path from 'node:path';

import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';

import { CxoneReports, CxoneReportsProps } from '../lib';

/** Before the only time of the report that runs once. */
jest.useFakeTimers({ now: new Date('2026-11-01T00:00:00Z') });

/** No binaries. */
export const PROPS: CxoneReportsProps = {
  placeholderCode: true,
};

/** One report of each recurrence. */
export const REPORTS = path.join(__dirname, 'reports');

export interface Resource {
  readonly Type: string;
  readonly Properties: any;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** A template in which every resource has the name that it has in the code, and every reference is a text. */
export type Resources = Readonly<Record<string, Resource>>;

/** The construct in somebody's stack. */
export function given(props: CxoneReportsProps = {}, context: Record<string, unknown> = {}): Resources {
  const stack = new Stack(new App({ analyticsReporting: false, context }), 'acme-reports');
  new CxoneReports(stack, 'Reports', { ...PROPS, ...props });
  return plain(Template.fromStack(stack).toJSON().Resources);
}

function plain(resources: Record<string, Resource>): Resources {
  return Object.fromEntries(Object.entries(resources).map(([id, resource]) => [nameOf(id), resolve(resource) as Resource]));
}

/** The name without the construct's own before it and the hash behind it. */
function nameOf(id: string): string {
  return id.replace(/^Reports/, '').replace(/CurrentVersion[0-9A-F]{8}[0-9a-f]{32}$/, 'CurrentVersion').replace(/[0-9A-F]{8}$/, '');
}

/** `Ref` as `<Name>`, `Fn::GetAtt` as `<Name.Attribute>`, everything joined. */
function resolve(value: any): any {
  if (Array.isArray(value)) {
    return value.map(resolve);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (typeof value.Ref === 'string') {
    return `<${nameOf(value.Ref)}>`;
  }
  if (Array.isArray(value['Fn::GetAtt'])) {
    const [id, attribute] = value['Fn::GetAtt'];
    return `<${nameOf(id)}.${attribute}>`;
  }
  if (Array.isArray(value['Fn::Join'])) {
    const [separator, parts] = value['Fn::Join'];
    return parts.map(resolve).join(separator);
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]));
}

export function ofType(resources: Resources, type: string): Resource[] {
  return Object.values(resources).filter((it) => it.Type === type);
}

export function one(resources: Resources, name: string): any {
  const found = resources[name];
  if (found === undefined) {
    throw new Error(`no ${name} among ${Object.keys(resources).join(', ')}`);
  }
  return found.Properties;
}

export function list(value: unknown): any[] {
  return Array.isArray(value) ? value : [value];
}

/** Every statement of every policy, with where it is. */
export function statements(resources: Resources): { where: string; statement: any }[] {
  return Object.entries(resources).flatMap(([where, { Properties: it }]) => {
    const documents = [it.PolicyDocument, it.KeyPolicy, ...list(it.Policies ?? []).map((policy) => policy.PolicyDocument)];
    return documents.flatMap((document) => (document?.Statement ?? []).map((statement: any) => ({ where, statement })));
  });
}

/** A role's statements, one line each: `Sid: actions on resources if conditions`. */
export function rightsOf(resources: Resources, role: string): string[] {
  return statements(resources)
    .filter(({ where }) => where === role)
    .map(({ statement }) => sentence(statement));
}

export function sentence(statement: any): string {
  const effect = statement.Effect === 'Allow' ? '' : 'Deny ';
  const condition = statement.Condition === undefined ? '' : ` if ${JSON.stringify(statement.Condition)}`;
  return `${effect}${statement.Sid}: ${list(statement.Action).join(' ')} on ${list(statement.Resource).join(' ')}${condition}`;
}
