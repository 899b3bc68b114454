import type { GatePolicy } from '../commands/gate-policy.ts';
import type { Problem } from '../pipeline/problem.ts';
import type { TriggerFilters } from '../pipeline/definition.ts';
import type { Locate } from './yaml-file.ts';

/** `.github/penstock.yml`, read and checked, with every default filled in. */
export interface RepositoryConfig {
  readonly pipelines: readonly PipelineConfig[];
  /** What a CodeBuild ProjectName means on the embedded engine. Has no prototype: look-ups by any name are safe. */
  readonly projects: Readonly<Record<string, ProjectConfig>>;
  /** bare: `/approve` is heard as well as `/penstock approve`. */
  readonly commands: { readonly bare: boolean };
  /** One comment in each pull request, edited in place, that says where everything stands. */
  readonly statusComment: boolean;
}

export interface PipelineConfig {
  /** The name in checks and commands: `[A-Za-z0-9._-]{1,100}`, not beginning with a dot or a dash. */
  readonly name: string;
  readonly engine: 'embedded' | 'aws';
  /** Who starts executions; always `bot` on the embedded engine. `both` never starts two for one commit. */
  readonly starts: 'bot' | 'aws' | 'both';
  readonly definition: DefinitionSource;
  /** Absent: the declaration's own triggers decide. Present without filters: nothing starts by itself. */
  readonly on?: TriggerFilters;
  /** Stages that hold one execution at a time over all lanes. */
  readonly exclusive: readonly string[];
  readonly mergeGroup: 'pass' | 'run' | 'skip';
  /** By `Stage/Action`. Has no prototype. */
  readonly gates: Readonly<Record<string, GatePolicy>>;
  /** Where `pipelines.<name>` stands in the file. */
  readonly line: number;
  readonly column: number;
}

export type DefinitionSource =
  | { readonly kind: 'file'; readonly path: string; readonly line: number; readonly column: number }
  | {
      readonly kind: 'inline';
      /** A declaration in CodePipeline's words: `name`, `stages` and whatever else stood beside them. */
      readonly value: unknown;
      /** Positions of paths inside `value`, in the configuration file. */
      readonly locate: Locate;
    }
  /** engine: aws. The declaration is the one that CodePipeline holds. */
  | { readonly kind: 'bound' };

export interface ProjectConfig {
  /** A path in the repository; absent: the buildspec of the action, else `buildspec.yml`. */
  readonly buildspec?: string;
  /** CodeBuild's limits: 5 to 2,160; absent: what the operator says, else 60. */
  readonly timeoutInMinutes?: number;
  readonly environment: readonly ProjectVariable[];
}

export interface ProjectVariable {
  readonly name: string;
  readonly value: string;
  readonly type: 'PLAINTEXT' | 'PARAMETER_STORE' | 'SECRETS_MANAGER';
}

export type RepositoryConfigRead =
  | {
      readonly ok: true;
      readonly config: RepositoryConfig;
      readonly warnings: readonly Problem[];
      /** Positions of the keys of paths in the file. */
      readonly locateKey: Locate;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };
