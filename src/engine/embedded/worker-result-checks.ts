import type { FailureDetails, FailureType, WorkerJobResult } from '../../db/worker-jobs.ts';
import { refused, type RefusedAnswer } from './answered.ts';

type Success = Omit<Extract<WorkerJobResult, { kind: 'success' }>, 'kind'>;

const mostVariableBytes = 122_880;
const failureTypes: Readonly<Record<FailureType, true>> = {
  JobFailed: true,
  ConfigurationError: true,
  PermissionError: true,
  RevisionOutOfSync: true,
  RevisionUnavailable: true,
  SystemUnavailable: true,
};

export function successProblem(result: Success): RefusedAnswer | undefined {
  const { continuationToken, outputVariables, executionDetails } = result;
  if (continuationToken !== undefined && outputVariables !== undefined) {
    // CP-J-10.
    return invalid('A job can not contain both a continuation token and output variables.');
  }
  if (continuationToken !== undefined && !isWithin(continuationToken, 1, 2048)) {
    return invalid('The continuation token has 1 to 2048 characters.');
  }
  return detailsProblem(executionDetails) ?? (outputVariables && variablesProblem(outputVariables));
}

function detailsProblem(details: Success['executionDetails']): RefusedAnswer | undefined {
  const { summary, externalExecutionId, percentComplete } = details ?? {};
  if (summary !== undefined && !isWithin(summary, 0, 2048)) return invalid('The summary has at most 2048 characters.');
  if (externalExecutionId !== undefined && !isWithin(externalExecutionId, 1, 1500)) {
    return invalid('The external execution id has 1 to 1500 characters.');
  }
  if (percentComplete === undefined) return undefined;
  const isPercent = Number.isInteger(percentComplete) && percentComplete >= 0 && percentComplete <= 100;
  return isPercent ? undefined : invalid('percentComplete is a whole number from 0 to 100.');
}

function variablesProblem(variables: Readonly<Record<string, string>>): RefusedAnswer | undefined {
  const odd = Object.keys(variables).find((name) => !/^[A-Za-z0-9@\-_]+$/.test(name));
  if (odd !== undefined)
    return invalid(`The name '${odd}' of an output variable has other characters than A-Z a-z 0-9 @ - _.`);
  const tooLarge = sizeProblem(variables);
  return tooLarge === undefined ? undefined : refused('OutputVariablesSizeExceededException', tooLarge);
}

/** CP-V-10. */
export function sizeProblem(variables: Readonly<Record<string, string>>): string | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(variables));
  if (bytes <= mostVariableBytes) return undefined;
  return `The output variables take ${bytes} bytes; at most ${mostVariableBytes} are allowed.`;
}

export function failureProblem({ type, message, externalExecutionId }: FailureDetails): RefusedAnswer | undefined {
  if (!Object.hasOwn(failureTypes, type)) return invalid(`The failure type '${type}' is not known.`);
  if (!isWithin(message, 1, 5000)) return invalid('The message of a failure has 1 to 5000 characters.');
  if (externalExecutionId === undefined || isWithin(externalExecutionId, 1, 1500)) return undefined;
  return invalid('The external execution id has 1 to 1500 characters.');
}

function isWithin(text: string, least: number, most: number): boolean {
  return text.length >= least && text.length <= most;
}

function invalid(message: string): RefusedAnswer {
  return refused('ValidationException', message);
}
