// How a phase writes its settings: the keys of a section, each optional and without a default of
// its own, and every number also as a ramp. What a ramp comes to is in ramp.ts.

import { z } from 'zod';
import { isRamp, type Ramp, rampAt } from './ramp.ts';

const slope = {
  from: z.number().describe('Value in the first epoch of the phase.'),
  to: z.number().describe('Value in the last epoch of the phase.'),
};

/** A number that changes over the phase. */
export const rampSchema = z
  .discriminatedUnion('ramp', [
    z.strictObject({ ramp: z.literal('linear').describe('In equal steps.'), ...slope }),
    z.strictObject({ ramp: z.literal('cosine').describe('Slowly at both ends.'), ...slope }),
    z.strictObject({
      ramp: z.literal('step').describe('One value after another.'),
      values: z.array(z.number()).min(1).describe('Each for an equal part of the phase.'),
    }),
  ])
  .meta({ id: 'ramp' });

type OrRamp<T extends z.ZodType> =
  NonNullable<z.output<T>> extends number ? z.ZodUnion<[T, typeof rampSchema]> : T;

/** The keys of a schema as overrides. */
type Overrides<S extends z.ZodRawShape> = {
  [K in keyof S]: S[K] extends z.ZodDefault<infer T extends z.ZodType>
    ? z.ZodOptional<OrRamp<T>>
    : never;
};

/** A section as a phase may write it. */
export function overridesOf<S extends Record<string, z.ZodDefault>>(section: z.ZodObject<S>) {
  const shape = Object.entries(section.shape).map(([key, field]) => {
    const own = field.unwrap() as z.ZodType;
    const value = isNumber(own) ? z.union([own, rampSchema]) : own;
    return [key, value.optional().describe(field.description ?? '')];
  });
  return z.strictObject(Object.fromEntries(shape) as Overrides<S>);
}

function isNumber(schema: z.ZodType): boolean {
  const value = schema instanceof z.ZodNullable ? schema.unwrap() : schema;
  return value instanceof z.ZodNumber;
}

/** A ramp that leaves what its key may be, and where it first does. */
export interface StrayRamp {
  key: string;
  epoch: number;
  value: number;
}

/** The ramps of a phase's section that leave the schema of their key in one of its epochs. */
export function strayRamps(
  section: z.ZodObject,
  overrides: object,
  epochs: readonly [number, number],
): StrayRamp[] {
  return rampsOf(overrides).flatMap(([key, ramp]) => {
    const schema = section.shape[key] as z.ZodType;
    for (let epoch = epochs[0]; epoch <= epochs[1]; epoch++) {
      const value = rampAt(key, ramp, epochs, epoch);
      if (!schema.safeParse(value).success) return [{ key, epoch, value }];
    }
    return [];
  });
}

/** Keys of step ramps with more values than the phase has epochs: some would never hold. */
export function crowdedRamps(overrides: object, [first, last]: readonly [number, number]) {
  return rampsOf(overrides).flatMap(([key, ramp]) =>
    ramp.ramp === 'step' && ramp.values.length > last - first + 1
      ? [{ key, values: ramp.values.length, epochs: last - first + 1 }]
      : [],
  );
}

function rampsOf(overrides: object): [string, Ramp][] {
  return Object.entries(overrides).filter((entry): entry is [string, Ramp] => isRamp(entry[1]));
}
