import { TypeOverrides } from 'pg';

const int8 = 20;

/** int8 as Number: the ids and counts that we keep there are below 2^53. */
export const numericTypes = new TypeOverrides();
numericTypes.setTypeParser(int8, Number);
