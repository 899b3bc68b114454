import { z } from 'zod';
import type { ActionProvider } from './provider.ts';

const Configuration = z.strictObject({
  NotificationArn: z.string().optional(),
  ExternalEntityLink: z.string().optional(),
  CustomData: z.string().optional(),
  /** `true`: an answer without a summary is refused (CP-A-7); the core sees to it. */
  IsSummaryRequired: z.string().optional(),
});
type Configuration = z.infer<typeof Configuration>;

/** Waits for a person; the answer reaches the engine as a command, not through this provider. */
export function manualApproval(): ActionProvider<Configuration> {
  return {
    type: { category: 'Approval', owner: 'AWS', provider: 'Manual', version: '1' },
    configuration: Configuration,
    artifacts: { in: [0, 0], out: [0, 0] },
    start: () => Promise.resolve({ kind: 'waiting' }),
  };
}
