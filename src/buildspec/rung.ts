import type { HostFiles } from './host-files.ts';
import type { Isolation } from './isolation.ts';
import type { Tools } from './tools.ts';

export interface RungParts {
  readonly tools: Tools;
  readonly host: HostFiles;
  readonly scratch: string;
  /** Better rungs that do not work here, each with its reason. */
  readonly rejected: readonly string[];
}

export type Prepared =
  { readonly kind: 'ready'; readonly isolation: Isolation } | { readonly kind: 'absent'; readonly why: string };

export function notReady(why: string): Prepared {
  return { kind: 'absent', why };
}
