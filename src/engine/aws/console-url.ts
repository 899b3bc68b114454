import type { LogPlace } from './aws-execution.ts';

/** Each partition has a console of its own. */
const hosts: Readonly<Record<string, string>> = {
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
};

/** The console's page of a log group, or of one stream in it; a slash in a name is written `$252F` there. */
export function logUrl(
  roleArn: string,
  { region, group, stream }: Omit<LogPlace, 'stream'> & { stream?: string },
): string {
  const host = hosts[roleArn.split(':')[1] ?? ''] ?? 'console.aws.amazon.com';
  const events = stream === undefined ? '' : `/log-events/${twice(stream)}`;
  return `https://${region}.${host}/cloudwatch/home?region=${region}#logsV2:log-groups/log-group/${twice(group)}${events}`;
}

function twice(name: string): string {
  return encodeURIComponent(encodeURIComponent(name)).replaceAll('%', '$');
}
