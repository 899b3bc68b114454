import type { ColumnType } from 'kysely';

export type Timestamp = ColumnType<Date, Date | string, Date | string>;
export type NullableTimestamp = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
/** Written as JSON text (pg would turn an array into a Postgres array), read as the value. */
export type Json<T> = ColumnType<T, string, string>;
export type GeneratedTimestamp = ColumnType<Date, Date | string | undefined, Date | string>;
/** pg's parser for int8 is set to Number in db/open.ts. */
export type BigInt8 = number;
