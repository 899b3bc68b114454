import type { Call } from './door.ts';
import { createPipeline, deletePipeline, getPipeline, listPipelines, updatePipeline } from './pipeline-operations.ts';

export interface ServedOperation {
  readonly run: (call: Call, input: never) => Promise<unknown>;
  /** A read-only key may not ask for it. */
  readonly writes: boolean;
}

const reads = (run: ServedOperation['run']): ServedOperation => ({ run, writes: false });
const writes = (run: ServedOperation['run']): ServedOperation => ({ run, writes: true });

/** Operations by their name on the wire. One that is not here is unknown (CP section 8). */
export const operations: Readonly<Record<string, ServedOperation>> = {
  CreatePipeline: writes(createPipeline),
  DeletePipeline: writes(deletePipeline),
  GetPipeline: reads(getPipeline),
  ListPipelines: reads(listPipelines),
  UpdatePipeline: writes(updatePipeline),
};
