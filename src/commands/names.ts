import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Target } from './command.ts';
import { targetPath } from './command.ts';
import { editDistance } from '../pipeline/closest.ts';
import { quote, quoteList } from './quote.ts';

/** The names that a comment may use: every pipeline that it can reach, with its stages, actions and variables. */
export type KnownPipelines = Readonly<Record<string, KnownPipeline>>;

interface KnownPipeline {
  /** Names of actions by stage, in the order of the declaration. */
  readonly stages: readonly { readonly name: string; readonly actions: readonly string[] }[];
  readonly variables: readonly string[];
}

/** `definitions` by the pipeline's name in .github/penstock.yml, which may differ from the declaration's own. */
export function knownPipelines(definitions: Readonly<Record<string, PipelineDefinition>>): KnownPipelines {
  const known = Object.entries(definitions).map(([name, definition]): [string, KnownPipeline] => [
    name,
    {
      stages: definition.stages.map((stage) => ({
        name: stage.name,
        actions: stage.actions.map((action) => action.name),
      })),
      variables: definition.variables.map((variable) => variable.name),
    },
  ]);
  return Object.fromEntries(known);
}

export type TargetRead =
  { readonly ok: true; readonly target: Target } | { readonly ok: false; readonly problem: string };

interface Named extends Target {
  readonly pipeline: string;
}

/**
 * What a word such as `web/Release` means. The letters' case is forgiven when that leaves one meaning, because phones
 * capitalize; a name that several pipelines have stays open for the caller to narrow by what is running.
 */
export function readTarget(word: string, known: KnownPipelines | undefined): TargetRead {
  const parts = word.split('/');
  if (parts.length > 3 || parts.some((part) => part === ''))
    return { ok: false, problem: `${quote(word)} is not of the form pipeline/stage/action.` };
  if (!known) return { ok: true, target: targetOf(parts) };
  const things = everything(known);
  const exact = meanings(parts, things, (name) => name);
  const found = exact.length > 0 ? exact : meanings(parts, things, (name) => name.toLowerCase());
  if (found.length === 0) return { ok: false, problem: unknownName(word, parts, things, known) };
  const shapes = new Set(found.map(depth));
  if (shapes.size > 1)
    return {
      ok: false,
      problem: `${quote(word)} can mean ${quoteList(found.map(targetPath))}. Write one of them in full.`,
    };
  return { ok: true, target: inCommon(found) };
}

/** Whether a word is a name, in any case of letters: what tells a target from the first word of a reason. */
export function isKnownName(word: string, known: KnownPipelines | undefined): boolean {
  if (!known) return false;
  const lower = word.toLowerCase();
  return everything(known).some((thing) => lastName(thing).toLowerCase() === lower);
}

/** The name that a single word almost is. */
export function nearName(word: string, known: KnownPipelines | undefined): string | undefined {
  if (!known || word.length > 100) return undefined;
  const names = new Set(everything(known).map(lastName));
  return Array.from(names).find((name) => isNear(word.toLowerCase(), name.toLowerCase()));
}

/** Of a short name only its own letters in another order: half of all short words are one letter away from it. */
function isNear(word: string, name: string): boolean {
  if (name.length === 3) return word !== name && letters(word) === letters(name);
  return word.length >= 4 && name.length >= 4 && editDistance(word, name) <= 2;
}

function letters(word: string): string {
  return Array.from(word).toSorted().join('');
}

function targetOf([pipeline, stage, action]: readonly (string | undefined)[]): Target {
  return {
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(stage === undefined ? {} : { stage }),
    ...(action === undefined ? {} : { action }),
  };
}

function everything(known: KnownPipelines): Named[] {
  return Object.entries(known).flatMap(([pipeline, { stages }]) => [
    { pipeline },
    ...stages.flatMap(({ name, actions }) => [
      { pipeline, stage: name },
      ...actions.map((action) => ({ pipeline, stage: name, action })),
    ]),
  ]);
}

/** Things whose path is `parts`, or ends in it. A stage hides an action of the same name. */
function meanings(parts: readonly string[], things: readonly Named[], fold: (name: string) => string): Named[] {
  const wanted = fold(parts.join('/'));
  const found = things.filter((thing) => {
    const path = fold(targetPath(thing));
    return path === wanted || path.endsWith(`/${wanted}`);
  });
  const hasStage = found.some((thing) => depth(thing) === 2);
  return parts.length === 1 && hasStage ? found.filter((thing) => depth(thing) !== 3) : found;
}

function inCommon(found: readonly Named[]): Target {
  const same = (name: 'pipeline' | 'stage' | 'action'): string | undefined => {
    const names = new Set(found.map((thing) => thing[name]));
    return names.size === 1 ? found[0]?.[name] : undefined;
  };
  return targetOf([same('pipeline'), same('stage'), same('action')]);
}

function unknownName(word: string, parts: readonly string[], things: readonly Named[], known: KnownPipelines): string {
  const near = things.map(targetPath).find((path) => editDistance(path.toLowerCase(), word.toLowerCase()) <= 2);
  if (near !== undefined) return `There is no ${quote(word)}. Did you mean ${quote(near)}?`;
  const [pipeline = ''] = parts;
  const inPipeline = Object.hasOwn(known, pipeline) ? known[pipeline] : undefined;
  if (inPipeline && parts.length > 1)
    return `There is no ${quote(word)}. The stages of ${quote(pipeline)} are ${quoteList(inPipeline.stages.map((stage) => stage.name))}.`;
  const names = Object.keys(known);
  if (names.length === 0) return `There is no ${quote(word)}: no pipeline can be reached from here.`;
  return `There is no ${quote(word)}. The pipelines are ${quoteList(names)}.`;
}

function depth(thing: Target): number {
  return [thing.pipeline, thing.stage, thing.action].filter((name) => name !== undefined).length;
}

function lastName(thing: Named): string {
  return thing.action ?? thing.stage ?? thing.pipeline;
}
