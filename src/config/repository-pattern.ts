import { z } from 'zod';
import { rule } from './schema-problems.ts';

const repositoryPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}\/(?:\*|(?!\.\.?$)[A-Za-z0-9._-]{1,100})$/;

/** `owner/name`, or `owner/*`. */
export const pattern = z
  .string()
  .check(
    rule(
      (text) => repositoryPattern.test(text),
      'is not a repository.',
      'Write owner/name, or owner/* for all repositories of one owner.',
    ),
  );
