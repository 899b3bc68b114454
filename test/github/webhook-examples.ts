import { createRequire } from 'node:module';

/** Payloads that GitHub really sent, as the community collected them. */
interface Example {
  readonly name: string;
  readonly examples: readonly Record<string, unknown>[];
}

const load = createRequire(import.meta.url);

export function webhookExamples(name: string): readonly Record<string, unknown>[] {
  const all = load('@octokit/webhooks-examples') as readonly Example[];
  return all.find((event) => event.name === name)?.examples ?? [];
}

export function exampleEventNames(): readonly string[] {
  return (load('@octokit/webhooks-examples') as readonly Example[]).map((event) => event.name);
}

/** Many examples come from repository webhooks; an App's delivery always names the installation. */
export function asDeliveredToAnApp(payload: Record<string, unknown>): Record<string, unknown> {
  return 'installation' in payload ? payload : { ...payload, installation: { id: 1 } };
}
